# SPDX-License-Identifier: Apache-2.0
"""What `codesign` does, a module for each command: ``command(arguments)`` returns the exit code."""
