// Probabilities of classes by Transformers.js under Node: node images_transformers_js.mjs ENGINE ROWS OUTPUT
import fs from "node:fs";
import path from "node:path";
import { env, pipeline } from "@huggingface/transformers";

const [engine, rows, output] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = path.dirname(engine) + path.sep;
const classify = await pipeline("image-classification", path.basename(engine), { dtype: "fp32" });
const lines = [];
for (const line of fs.readFileSync(rows, "utf8").trim().split("\n")) {
  const found = await classify(JSON.parse(line), { top_k: 1000 });
  lines.push(JSON.stringify(Object.fromEntries(found.map((each) => [each.label, each.score]))));
}
fs.writeFileSync(output, lines.join("\n") + "\n");
