"""Money promised, then paid: a pending transfer reserves, posting it moves, and the sum of all accounts stays zero."""

from datetime import UTC, datetime

from qianheng.core.money import YUAN, yuan
from qianheng.ledger.book import balances
from qianheng.ledger.transfers import AccountKind, State, Transfer, account, posting

AT = datetime(2025, 10, 9, tzinfo=UTC)
EXPENSE, CREDIT = account(AccountKind.GUARANTEE_EXPENSE), account(AccountKind.CREDIT, owner=1)

promised = Transfer(1, EXPENSE.id, CREDIT.id, 600 * YUAN, AT, State.PENDING, reason="compensation")
paid = posting(promised, AT)

for told, transfers in (("promised", [promised]), ("paid", [promised, paid])):
    kept = balances(transfers)
    credit, total = kept[CREDIT.id], sum(balance.posted for balance in kept.values())
    print(f"{told}: {yuan(credit.posted)} yuan of ad credit, {yuan(credit.incoming)} on its way; all accounts: {total}")
