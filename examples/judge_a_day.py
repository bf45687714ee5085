"""Was the day's ROI promise kept, and if not, what is owed? The example case under every shipped policy."""

from pathlib import Path

from qianheng.core.money import yuan
from qianheng.guarantee.policy import load_policy, policy_names
from qianheng.guarantee.reading import parse_case
from qianheng.guarantee.verdict import evaluate

PATH = Path(__file__).with_name("case.json")

for name in policy_names():
    verdict = evaluate(load_policy(name), parse_case(PATH.read_bytes(), PATH.name, policy=name))
    print(f"{name:20} {verdict.status:12} {verdict.reason or '':20} {yuan(verdict.compensation):>8} yuan")
