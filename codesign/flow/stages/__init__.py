# SPDX-License-Identifier: Apache-2.0
"""The stage bodies, one a module. Each is imported only when it runs."""
