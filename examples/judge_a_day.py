"""Was the day's ROI promise kept, and if not, what is owed? The example case under every shipped policy."""

from pathlib import Path

from qianheng.core.money import yuan
from qianheng.guarantee.reading import Given, parse_case
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import evaluate

PATH = Path(__file__).with_name("case.json")

for name in shipped().names:
    case = parse_case(PATH.read_bytes(), PATH.name, Given(policy=name))
    verdict = evaluate(shipped().in_force(name, case.unit.day), case)
    print(f"{name:20} {verdict.status:12} {verdict.reason or '':20} {yuan(verdict.compensation):>8} yuan")
