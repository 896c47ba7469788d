"""What a graph and a session that come over the network may name. What is not listed is refused.

No operator here runs a subgraph, loops, draws on a file or loads a library; no option takes a path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from compresskit.errors import ConfigurationError, one_of

_ONNX = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization
BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu Clip Concat Constant
ConstantOfShape Conv ConvInteger Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout
DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements
GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid
HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LayerNormalization LeakyRelu Less
LessOrEqual Log LogSoftmax LpNormalization MatMul MatMulInteger Max MaxPool Mean
MeanVarianceNormalization Min Mish Mod Mul Neg NonZero Not OneHot Or PRelu Pad Pow QLinearConv
QLinearMatMul QuantizeLinear RMSNormalization Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum
ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape
RotaryEmbedding Round ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice
Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile
TopK Transpose Trilu Unsqueeze Where Xor
"""

_MICROSOFT = """
Attention BiasAdd BiasDropout BiasGelu BiasSoftmax DequantizeLinear DynamicQuantizeMatMul
EmbedLayerNormalization FastGelu FusedMatMul FusedGemm GatedRelativePositionBias Gelu GemmFastGelu
GroupQueryAttention MatMulBnb4 MatMulInteger16 MatMulIntegerToFloat MatMulNBits MultiHeadAttention
PackedAttention PackedMultiHeadAttention QAttention QEmbedLayerNormalization QGemm QLinearAdd
QLinearAveragePool QLinearConcat QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul QLinearReduceMean
QLinearSigmoid QLinearSoftmax QLinearWhere QOrderedAttention QOrderedGelu QOrderedLayerNormalization
QOrderedMatMul QuantizeLinear QuickGelu RelativePositionBias RemovePadding RestorePadding
RotaryEmbedding SkipLayerNormalization SkipSimplifiedLayerNormalization TransposeMatMul
"""

# ONNX Runtime's own, although it stands in the domain ai.onnx.
_RUNTIME_OWN = "SimplifiedLayerNormalization"

OPERATORS: Mapping[str, frozenset[str]] = {
    "": frozenset(_ONNX.split() + _RUNTIME_OWN.split()),
    "ai.onnx": frozenset(_ONNX.split() + _RUNTIME_OWN.split()),
    "com.microsoft": frozenset(_MICROSOFT.split()),
}

_SESSION = """
ep.dynamic.workload_type
memory.enable_memory_arena_shrinkage
mlas.disable_kleidiai
mlas.enable_gemm_fastmath_arm64_bfloat16
mlas.use_lut_gemm
optimization.disable_specified_optimizers
optimization.enable_cast_chain_elimination
optimization.enable_gelu_approximation
session.disable_aot_function_inlining
session.disable_cpu_ep_fallback
session.disable_double_qdq_remover
session.disable_prepacking
session.disable_qdq_constant_folding
session.disable_quant_qdq
session.dynamic_block_base
session.enable_dq_matmulnbits_fusion
session.enable_quant_qdq_cleanup
session.force_spinning_stop
session.enable_cpu_mem_arena
session.enable_mem_pattern
session.inter_op.allow_spinning
session.inter_op.spin_duration_us
session.intra_op.allow_spinning
session.intra_op.spin_duration_us
session.intra_op_thread_affinities
session.qdq_matmulnbits_accuracy_level
session.qdq_matmulnbits_block_size
session.qdqisint8allowed
session.set_denormal_as_zero
session.use_device_allocator_for_initializers
session.x64quantprecision
"""
SESSION_OPTIONS = frozenset(_SESSION.split())

_CUDA = """
arena_extend_strategy cudnn_conv1d_pad_to_nc1d cudnn_conv_algo_search cudnn_conv_use_max_workspace
device_id do_copy_in_default_stream enable_cuda_graph enable_skip_layer_norm_strict_mode
fuse_conv_bias gpu_mem_limit prefer_nhwc sdpa_kernel tunable_op_enable tunable_op_max_tuning_duration_ms
tunable_op_tuning_enable use_ep_level_unified_stream use_tf32
"""
_TENSORRT = """
device_id trt_auxiliary_streams trt_bf16_enable trt_build_heuristics_enable trt_builder_optimization_level
trt_context_memory_sharing_enable trt_cuda_graph_enable trt_detailed_build_log trt_dla_core trt_dla_enable
trt_engine_hw_compatible trt_fp16_enable trt_int8_enable trt_layer_norm_fp32_fallback
trt_max_partition_iterations trt_max_workspace_size trt_min_subgraph_size trt_profile_max_shapes
trt_profile_min_shapes trt_profile_opt_shapes trt_sparsity_enable trt_tactic_sources
"""
PROVIDER_OPTIONS: Mapping[str, frozenset[str]] = {
    "cpu": frozenset(),
    "cuda": frozenset(_CUDA.split()),
    "tensorrt": frozenset(_TENSORRT.split()),
}

# No separator of folders, no drive, no variable: a value can be a number, a word or a list of them.
_VALUE = re.compile(r"(?!.*\.\.)[A-Za-z0-9_.,:;|+\- ]{0,512}", re.ASCII)


def check_options(kind: str, options: Mapping[str, object], allowed: frozenset[str]) -> None:
    """Raise ConfigurationError for an option outside `allowed`, or a value that might be a path."""
    for name, value in options.items():
        if name not in allowed:
            raise ConfigurationError(f"agent refuses {one_of(kind, name, allowed or {'(none)'})}")
        if not _VALUE.fullmatch(str(value)):
            raise ConfigurationError(
                f"agent refuses {kind} {name!r} with value {str(value)[:80]!r}; "
                "permitted: numbers and words, no paths."
            )
