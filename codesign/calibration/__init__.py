# SPDX-License-Identifier: Apache-2.0
"""From a float model and clips to a delta network, without training.

===========  ==================================================================================================
module       holds
===========  ==================================================================================================
`checks`     what is wrong with a model before anything slow
`agreement`  how often a network answers as the float model does
`holding`    send-on-delta of one activation, with a threshold for each channel
`forward`    a delta network on whole clips, layer by layer, with other holds, quickly
`ranges`     what pixels are to a model, as its own statistics show
`evaluate`   a network on clips, beside the float model
`thresholds` a threshold for each channel: the least work for an error of the answer
`search`     `calibrate`: bits, scales of channels and holds that agree, with the least work
===========  ==================================================================================================
"""
