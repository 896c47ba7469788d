// Answers by Transformers.js under Node: node spans_transformers_js.mjs ENGINE ROWS OUTPUT
// Its own answers may be of any length: here the best one of at most 30 tokens counts.
import fs from "node:fs";
import path from "node:path";
import { env, pipeline } from "@huggingface/transformers";

const [engine, rows, output] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = path.dirname(engine) + path.sep;
const answer = await pipeline("question-answering", path.basename(engine), { dtype: "fp32" });
const lines = [];
for (const line of fs.readFileSync(rows, "utf8").trim().split("\n")) {
  const [question, context] = JSON.parse(line);
  const ranked = await answer(question, context, { top_k: 1000 });
  const size = (text) => answer.tokenizer.encode(text, { add_special_tokens: false }).length;
  const found = ranked.find((each) => size(each.answer) <= 30);
  lines.push(JSON.stringify({ answer: found.answer })); // decoded tokens: without case and spaces of the context
}
fs.writeFileSync(output, lines.join("\n") + "\n");
