"""Export: a trained network as an ONNX file, which many programs run, and the proof that it is whole."""

import copy
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gannet.pipelines.exported import CLOSE, STEPS, Exported, check_path
from gannet.pipelines.pipeline import Pipeline
from gannet.runtime.files import write_bytes
from gannet.runtime.progress import Progress, Watch
from gannet.runtime.wording import reason

NEEDS = "Export needs onnx, onnxscript and onnxruntime; run: pip install 'gannet[onnx]'"


def export(pipeline: Pipeline, path: Path, watch: Watch | None = None) -> Exported:
    """Write a pipeline's network as an ONNX file, after ONNX Runtime has given the same answers as PyTorch.

    Raises:
        ValueError: the path exists or is not called .onnx, the model cannot be exported, or the answers differ.
        Stopped: whoever watches wants it to stop; nothing was written.
    """
    check_path(path)
    watch = watch or Watch()
    network, inputs = on_the_processor(pipeline)
    watch.step(1, STEPS, "Exporting")
    content = to_onnx(pipeline)
    watch.step(2, STEPS, "Comparing")
    # The batch is not the one that the file was made from: its size must be free.
    given = [tensor[: len(tensor) // 2 + 1] for tensor in inputs.values()]
    with torch.no_grad():
        expected = network(*given)
    difference = float((run_onnx(content)(*given) - expected).abs().max())
    if not difference <= CLOSE * max(1.0, float(expected.abs().max())):
        raise ValueError(f"ONNX Runtime's answers differ from PyTorch's by {difference:.3g}; nothing was written.")
    watch.step(3, STEPS, "Writing")
    write_bytes(path, content)
    watch.show(Progress(STEPS, STEPS), "Written")
    return Exported(path, difference, {name: tuple(tensor.shape) for name, tensor in inputs.items()}, len(expected))


def to_onnx(pipeline: Pipeline) -> bytes:
    """Write a pipeline's network as an ONNX file, for batches of any size.

    Raises:
        ValueError: the model cannot be exported, or the libraries are missing.
    """
    network, inputs = on_the_processor(pipeline)
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise ValueError(NEEDS) from None
    free = torch.export.Dim.DYNAMIC
    # The exporter tells of libraries that it would like to have.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program = torch.onnx.export(
                network.eval(),
                tuple(inputs.values()),
                input_names=list(inputs),
                output_names=["result"],
                dynamic_shapes=tuple({0: free} for _ in inputs),
                dynamo=True,
                verbose=False,
            )
        except RuntimeError as error:
            raise ValueError(f"This model for {pipeline.task} cannot be exported: {reason(error)}.") from None
    assert program is not None
    model: Any = program.model_proto
    model.producer_name, model.doc_string = "Gannet", f"{pipeline.name or pipeline.task}: {pipeline.task}"
    return bytes(model.SerializeToString())


def on_the_processor(pipeline: Pipeline) -> tuple[nn.Module, dict[str, Tensor]]:
    """Give what is traced, on the processor, where ONNX Runtime computes; the pipeline stays where it lies."""
    network, inputs = pipeline.traced()
    return (network if pipeline.device.type == "cpu" else copy.deepcopy(network).cpu()), inputs


def run_onnx(content: bytes) -> Callable[..., Tensor]:
    """Give the network of an ONNX file as a function of tensors, computed by ONNX Runtime on the processor."""
    try:
        import onnxruntime  # type: ignore[import-untyped]
    except ImportError:
        raise ValueError(NEEDS) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]

    def compute(*given: Tensor | None) -> Tensor:
        tensors = [tensor.cpu().numpy() for tensor in given if tensor is not None]
        return torch.from_numpy(np.asarray(session.run(None, dict(zip(names, tensors, strict=True)))[0]))

    return compute
