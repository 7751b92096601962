"""The generator networks and their export to ONNX."""
