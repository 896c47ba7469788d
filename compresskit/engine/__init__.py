"""From PyTorch to the fastest verified ONNX graph, and the folder that holds it."""
