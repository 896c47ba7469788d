// Vectors by Transformers.js under Node: node vectors_transformers_js.mjs ENGINE ROWS OUTPUT
import fs from "node:fs";
import path from "node:path";
import { env, pipeline } from "@huggingface/transformers";

const [engine, rows, output] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = path.dirname(engine) + path.sep;
const extract = await pipeline("feature-extraction", path.basename(engine), { dtype: "fp32" });
const lines = [];
for (const line of fs.readFileSync(rows, "utf8").trim().split("\n")) {
  const found = await extract(JSON.parse(line), { pooling: "mean", normalize: true });
  lines.push(JSON.stringify(Array.from(found.data)));
}
fs.writeFileSync(output, lines.join("\n") + "\n");
