#!/bin/bash
# @huggingface/transformers (Transformers.js) 4.3.2: images that are made smaller are not smoothed, as in Python they are.
#
# A good guess: an image processor made from the same preprocessor_config.json (bilinear, 896 to 224 pixels) gives the
# pixels that transformers gives in Python; the comment in the code says that it matches how Pillow does it.
# What happens: under Node the image goes through sharp's affine transform, which reads two by two pixels of the
# original for each new one, however much smaller the image becomes. Pillow widens its filter with the factor, and so
# takes the mean of all of them. Fine detail becomes noise: an image of noise keeps its standard deviation of 0.58, of
# which Pillow leaves 0.10 (pixels between -1 and 1). Bicubic alike; enlarged images differ too. A vision model in Node so reads other images than in Python: an engine that agreed to 3e-7 on images of its own
# size gave 88 of 100 same classes on images that had to be resized.
#
# Source: `RawImage.resize` in src/utils/image.js; found by comparing a vision transformer's engine in both.
# Needs Python 3.10 or later as python3 (or PYTHON=...), Node 18 or later, PyPI and npm.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -q "transformers==5.23.0" "pillow==13.0.0" "numpy>=2"
export ONNXRUNTIME_NODE_INSTALL=skip ONNXRUNTIME_NODE_INSTALL_CUDA=skip
npm install --silent --no-audit --no-fund "@huggingface/transformers@4.3.2" > /dev/null

cat > make.py <<'PY'
import json
import pathlib

import numpy as np
import PIL
import transformers
from PIL import Image
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

noise = np.random.default_rng(0).integers(0, 256, (896, 896, 3), dtype=np.uint8)
Image.fromarray(noise).save("large.png")
Image.fromarray(noise[:224, :224]).save("same.png")
processor = ViTImageProcessorPil(resample=2)
pathlib.Path("model").mkdir()
processor.save_pretrained("model")
found = {}
for name in ("same", "large"):
    pixels = processor(Image.open(f"{name}.png"), return_tensors="np")["pixel_values"]
    found[name] = pixels.ravel().round(5).tolist()
pathlib.Path("python.json").write_text(json.dumps(found))
print("transformers", transformers.__version__, "Pillow", PIL.__version__)
PY
venv/bin/python make.py 2> /dev/null

cat > check.mjs <<'JS'
import fs from "node:fs";
import { AutoProcessor, RawImage, env } from "@huggingface/transformers";

env.allowRemoteModels = false;
env.localModelPath = process.cwd();
const { version } = JSON.parse(fs.readFileSync("node_modules/@huggingface/transformers/package.json"));
console.log("@huggingface/transformers", version);
const processor = await AutoProcessor.from_pretrained("model");
const python = JSON.parse(fs.readFileSync("python.json"));
const deviation = (values) => {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  return Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length);
};
const found = {};
for (const name of ["same", "large"]) {
  const { pixel_values } = await processor(await RawImage.read(`${name}.png`));
  const here = Array.from(pixel_values.data);
  const apart = here.reduce((most, each, i) => Math.max(most, Math.abs(each - python[name][i])), 0);
  found[name] = { apart, here: deviation(here), there: deviation(python[name]) };
  console.log(`${name} image: largest difference ${apart.toFixed(4)}, deviation ${found[name].here.toFixed(3)} ` +
    `in Transformers.js, ${found[name].there.toFixed(3)} in Python`);
}
const expected = found.same.apart < 1e-3 && found.large.apart > 0.5 && found.large.here > 2 * found.large.there;
console.log(expected ? "as described: an image made smaller is not smoothed" : "NO LONGER as described");
process.exit(expected ? 0 : 1);
JS
node check.mjs
