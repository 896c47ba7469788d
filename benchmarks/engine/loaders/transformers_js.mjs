// Labels and logits by Transformers.js under Node: node transformers_js.mjs ENGINE ROWS OUTPUT
import fs from "node:fs";
import path from "node:path";
import { env, pipeline } from "@huggingface/transformers";

const [engine, rows, output] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = path.dirname(engine) + path.sep;
const classify = await pipeline("text-classification", path.basename(engine), { dtype: "fp32" });
const lines = [];
for (const line of fs.readFileSync(rows, "utf8").trim().split("\n")) {
  const { text } = JSON.parse(line);
  const [best] = await classify(text);
  const { logits } = await classify.model(classify.tokenizer(text, { truncation: true }));
  lines.push(JSON.stringify({ label: best.label, logits: Array.from(logits.data) }));
}
fs.writeFileSync(output, lines.join("\n") + "\n");
