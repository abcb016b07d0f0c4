# SPDX-License-Identifier: Apache-2.0
"""What to use in place of layers, and of arguments of layers, that do not become hardware."""

from __future__ import annotations

from codesign.keras_model.rescaling import SCALED

_SEPARATE = "use a DepthwiseConv1D and a Conv1D of kernel 1"
_TRANSPOSED = (
    "let codesign.layers.delta(model) make convolutions of a Conv2DTranspose, or use UpSampling with "
    "interpolation='nearest' and a convolution after it"
)
_QUANTIZED_POOLING = "use the pooling layer of Keras, and QActivation or DeltaActivation after it"
_CROPPED = "crop the frames before predict(), or use padding='valid'"
_FLAT = "use the layer for one or two dimensions"
_NORM = "use BatchNormalization directly after a linear layer"
_FOLDED = "use QDenseBatchnorm, QConv2DBatchnorm or QDepthwiseConv2DBatchnorm, or BatchNormalization after the layer"
_RECURRENT = (
    "use Conv1D over the time axis of a frame, or Dense layers on single frames: the hardware keeps the state of the "
    "stream by itself"
)
_ATTENTION = "use convolutions or Dense layers: products of two activations are not computed"
ACTIVATING = "use relu or relu6 and train the model so, or DeltaActivation"
_OUTSIDE = "compute it before predict() and give the model its result as frames"
_RESIZED = "resize the frames before predict(); inside the model use UpSampling2D(interpolation='nearest') or pooling"
_PRODUCT = "use Add or Concatenate: products of two activations are not computed"
_EXTREME = "use relu for a maximum with 0, MaxPooling over positions, or Concatenate and a layer with weights"
_ITEM = "take all channels (weights of 0 leave some out), or crop the frames before predict()"
_SUM = "use Dense, or AveragePooling over a power of two of elements and Rescaling"
_WRAPPED = "use the layer that it wraps"
_NO_CLIPS = "convert the model of one frame that over_time was given, which this model trains"

ONE = {
    "groups": "use one convolution per group, or DepthwiseConv2D for one group per channel",
    "depth_multiplier": "use depth_multiplier=1 and a Conv2D of kernel 1 after it",
    "dilation_rate": "use a larger kernel, strides, or another convolution after it",
}
"""Arguments of a convolution that are 1 in hardware, and what to use in place of others."""

INSTEAD = {
    **dict.fromkeys(("SeparableConv1D", "QSeparableConv1D"), _SEPARATE),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "ConvTranspose"), _TRANSPOSED),
    **dict.fromkeys(("QConv2DTranspose", "QDepthwiseConv2DTranspose", "QSeparableConv2DTranspose"), _TRANSPOSED),
    **dict.fromkeys(("QAveragePooling2D", "QGlobalAveragePooling2D"), _QUANTIZED_POOLING),
    **dict.fromkeys(("Conv3D", "MaxPooling3D", "AveragePooling3D", "UpSampling3D", "ZeroPadding3D"), _FLAT),
    **dict.fromkeys(("GlobalMaxPooling3D", "GlobalAveragePooling3D"), _FLAT),
    **dict.fromkeys(("Cropping1D", "Cropping2D", "Cropping3D", "CenterCrop", "RandomCrop"), _CROPPED),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "UnitNormalization", "RMSNormalization"), _NORM),
    **dict.fromkeys(("QBatchNormalization", "QScaleShift"), _FOLDED),
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional", "StackedRNNCells"), _RECURRENT),
    **dict.fromkeys(("SimpleRNNCell", "LSTMCell", "GRUCell", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), _RECURRENT),
    **dict.fromkeys(("QSimpleRNN", "QLSTM", "QGRU", "QBidirectional"), _RECURRENT),
    **dict.fromkeys(("QSimpleRNNCell", "QLSTMCell", "QGRUCell"), _RECURRENT),
    **dict.fromkeys(("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupedQueryAttention"), _ATTENTION),
    **dict.fromkeys(("LeakyReLU", "PReLU", "ELU"), ACTIVATING),
    **dict.fromkeys(("Multiply", "Dot", "Power", "Square", "Matmul", "Einsum", "Tensordot"), _PRODUCT),
    **dict.fromkeys(("Maximum", "Minimum", "Clip"), _EXTREME),
    **dict.fromkeys(("AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D"), _SUM),
    **dict.fromkeys(("AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D"), "use MaxPooling"),
    **dict.fromkeys(("Mean", "Sum"), _SUM),
    **dict.fromkeys(("GetItem", "Slice", "Split", "Take"), _ITEM),
    **dict.fromkeys(("Divide", "TrueDivide", "Normalization"), SCALED),
    **dict.fromkeys(("StringLookup", "IntegerLookup", "Hashing", "HashedCrossing", "TextVectorization"), _OUTSIDE),
    **dict.fromkeys(("CategoryEncoding", "Discretization", "MelSpectrogram", "STFTSpectrogram"), _OUTSIDE),
    **dict.fromkeys(("MaxNumBoundingBoxes", "AutoContrast", "Equalization", "Solarization"), _OUTSIDE),
    **dict.fromkeys(("AugMix", "CutMix", "MixUp", "RandAugment", "Pipeline", "RandomColorJitter"), _OUTSIDE),
    **dict.fromkeys(("RandomGrayscale", "RandomInvert", "RandomPosterization", "RandomSharpness"), _OUTSIDE),
    **dict.fromkeys(("RandomColorDegeneration", "RandomElasticTransform", "RandomGaussianBlur"), _OUTSIDE),
    "ContrastLimitedAdaptiveHistogramEqualization": _OUTSIDE,
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"), "build it from Keras layers"),
    **dict.fromkeys(("SpectralNormalization", "Wrapper"), _WRAPPED),
    **dict.fromkeys(("FoldTime", "UnfoldTime", "DeltaMeter"), _NO_CLIPS),
    "Cast": "leave it out: give the model an input of dtype='float32', and every layer the same dtype",
    "Average": "use Add, and Rescaling(0.5) where two are averaged",
    "Subtract": "use Add, and give the layer before it weights of the other sign",
    "QAdaptiveActivation": "use QActivation with quantized_relu or quantized_bits of the range that it has learned",
    "EinsumDense": "use Dense, which works on the last axis of any frame",
    "Embedding": "look the vectors up before predict(), or use a Dense layer on one-hot frames",
    "ReversibleEmbedding": "look the vectors up before predict(), or use a Dense layer on one-hot frames",
    "Lambda": "write it as layers: Rescaling, Add, Concatenate, Reshape, ReLU, or a layer with weights",
    "Masking": "leave it out: every element of a frame counts",
    "RepeatVector": "use Reshape((1, n)) and UpSampling1D, which repeat the same",
    "Resizing": _RESIZED,
    "TimeDistributed": "use the layer itself: Dense works on every row of a frame",
}
"""What to use in place of layers and operations that do not become hardware, by class."""
