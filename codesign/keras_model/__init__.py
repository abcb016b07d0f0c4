# SPDX-License-Identifier: Apache-2.0
"""Keras models as data: what they call, in which order, of which kinds, and from which file.

==============  ===============================================================================
module          holds
==============  ===============================================================================
`file`          a saved model, looked at before anything in it runs
`calls`         every call of a layer or operation in a model, nested models opened
`operations`    ``keras.ops`` and operators as the layers that they stand for
`kinds`         which of them the project computes exactly, and what to use instead of the others
`rescaling`     which Rescaling is exact
==============  ===============================================================================
"""
