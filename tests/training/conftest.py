# SPDX-License-Identifier: Apache-2.0
"""Set-up of the training tests."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
