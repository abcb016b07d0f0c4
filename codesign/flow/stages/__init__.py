# SPDX-License-Identifier: Apache-2.0
"""The stage bodies, one per module. Each is imported only when it runs."""
