"""Where latency is measured: ONNX Runtime under a profile, on this machine or through an agent."""
