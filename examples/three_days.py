"""Three days of a small market through the production engine, from requests to a balanced ledger."""

import tempfile
from pathlib import Path

from qianheng.actions.simulation import RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.core.money import ratio_text, to_fen, yuan

with tempfile.TemporaryDirectory() as folder:
    summary = summarise(run_simulation(RunRequest("tiny", folder=Path(folder))))

for plan in summary.plans:
    sums = plan.sums
    spent, sold = yuan(to_fen(sums.spend)), yuan(to_fen(sums.gmv))
    roi = ratio_text(sums.payment_roi, 2)
    print(f"{plan.plan.name}: spent {spent}, sold {sold}, ROI {roi} against {plan.plan.target}")
print("the ledger balances" if summary.balanced else "the ledger does not balance")
