from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.feeds_check import HEAD_FEEDS, Finding, check_folder
from warehouse.sources import FeedError


def _about(findings: list[Finding], feed: str) -> list[tuple[str, str]]:
    return [(finding.severity, finding.message) for finding in findings if finding.feed == feed]


def test_a_good_folder_has_nothing_critical_and_says_which_heads_are_fed(shop_folder: Path) -> None:
    findings = check_folder(shop_folder)
    assert [finding for finding in findings if finding.severity == "critical"] == []
    heads = {message for severity, message in _about(findings, "") if message.startswith("head")}
    assert "head supply is fed" in heads
    assert "head service has no service_tickets and would not be ready" in heads
    assert len(heads) == len(HEAD_FEEDS)


def test_everything_wrong_is_found_in_one_pass(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user_id,agegroup\nu,25-34\n")
    (tmp_path / "orders.csv").write_text("order_id,user_id,ordered_at\n1,u,yesterday\n")
    (tmp_path / "order_lines.csv").write_text("order_line_id,order_id,product_id,quantity\n1,1,A,-2\n1,1,A,2\n")
    (tmp_path / "ordrs.csv").write_text("order_id\n1\n")
    (tmp_path / "service_tickets.parquet").write_bytes(b"PAR1")
    findings = check_folder(tmp_path)
    assert [severity for severity, _ in _about(findings, "products")] == ["critical"]
    assert "missing" in _about(findings, "products")[0][1]
    assert any(severity == "critical" and "'yesterday'" in message for severity, message in _about(findings, "orders"))
    lines = dict(reversed(pair) for pair in _about(findings, "order_lines"))
    assert lines["1 rows break quantity_in_range (quantity is at least 0), such as 1"] == "critical"
    assert lines["2 rows break key_unique (order_line_id names one row), such as 1"] == "critical"
    assert [severity for severity, _ in _about(findings, "service_tickets")] == ["warning"]
    stranger = next(finding for finding in findings if finding.file == "ordrs.csv")
    assert "rename it to orders" in stranger.remedy
    unknown = next(finding for finding in findings if "'agegroup'" in finding.message)
    assert unknown.feed == "users"


def test_rows_that_would_be_quarantined_are_counted(tmp_path: Path) -> None:
    good = "".join(f"P{number},1\n" for number in range(200))
    (tmp_path / "products.csv").write_text(f"product_id,list_price\n{good}X,cheap\n")
    messages = [message for severity, message in _about(check_folder(tmp_path), "products") if severity == "warning"]
    assert messages == [
        '1 rows break list_price_parses, such as the one with the key {"product_id":"X"}; they would be quarantined'
    ]


def test_a_folder_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FeedError, match="no folder"):
        check_folder("nowhere")
