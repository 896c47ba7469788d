#!/bin/bash
# nDCG@10 of tied scores depends on the tool, and one tool orders ties in two ways within one call.
#
# A good guess: tools that compute nDCG@10 agree, and within one call of a tool all metrics see one ranking.
# What happens: for two documents with equal scores, one of them relevant, ranx orders ties by the input (1.0 or 0.63, as
# the documents are listed), pytrec_eval by the larger document id (as trec_eval), and scikit-learn averages over all
# orders (0.82). ir_measures ranks by pytrec_eval's rule for nDCG@10 and RR, and by the opposite for RR@10, which another
# of its providers computes: in one call nDCG@10 says that the relevant document is second, and RR@10 that it is first.
# Quantized and strongly pruned rerankers tie often, so their metric depends on the tool and on the names of documents.
# Versions: ranx 0.3.21, pytrec-eval-terrier 0.5.11, ir-measures 0.4.3, scikit-learn 1.9.1.
# Source: sklearn/metrics/_ranking.py, _tie_averaged_dcg; trec_eval's form_res_rels.c, comp_sim_docno.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    ranx==0.3.21 pytrec-eval-terrier==0.5.11 ir-measures==0.4.3 scikit-learn==1.9.1
cat > "$folder/show.py" <<'PY'
import sys
from importlib.metadata import version
import ir_measures, pytrec_eval, ranx
from ir_measures import RR, nDCG
from sklearn.metrics import ndcg_score

print(", ".join(f"{name} {version(name)}" for name in ("ranx", "pytrec-eval-terrier", "ir-measures", "scikit-learn")))
print("two documents a and b with equal scores; one is relevant")
found = {}
for relevant in "ab":
    qrels = {"q": {name: int(name == relevant) for name in "ab"}}
    run = {"q": {"a": 1.0, "b": 1.0}}
    of_terrier = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut_10"}).evaluate(run)["q"]["ndcg_cut_10"]
    of_ranx = float(ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), "ndcg@10"))
    of_sklearn = float(ndcg_score([[qrels["q"]["a"], qrels["q"]["b"]]], [[1.0, 1.0]], k=10))
    both = ir_measures.calc_aggregate([nDCG @ 10, RR, RR @ 10], qrels, run)
    found[relevant] = [round(value, 2) for value in (of_terrier, of_ranx, of_sklearn, both[nDCG @ 10], both[RR], both[RR @ 10])]
    names = ("pytrec_eval nDCG@10", "ranx nDCG@10", "scikit-learn nDCG@10", "ir_measures nDCG@10", "RR", "RR@10")
    print(f"{relevant} relevant:", ", ".join(f"{name} {value}" for name, value in zip(names, found[relevant])))
sys.exit(0 if found == {"a": [0.63, 1.0, 0.82, 0.63, 0.5, 1.0], "b": [1.0, 0.63, 0.82, 1.0, 1.0, 0.5]} else 1)
PY
"$folder/venv/bin/python" "$folder/show.py"
