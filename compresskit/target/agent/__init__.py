"""A small server that measures on its own device what a search on another machine sends.

Three processes: the server (HTTP, token, queue; never looks into a graph), its job process (reads,
checks and fills in graphs, under limits, and is killed when it goes past one), and the worker of the
local target, which runs them. Without torch, on the base install and the device's own onnxruntime.
"""
