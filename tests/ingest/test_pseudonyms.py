from __future__ import annotations

import hashlib
import hmac
from datetime import date

import pytest
from pydantic import SecretStr

from flows.secrets import load_secrets
from flows.settings import SettingsError, load_settings
from tasks.gates import GateStopped
from tasks.ingest_feeds import ingest_feeds
from tasks.night import Night
from tasks.postgres_settings import Secrets
from tests.landing import Folder
from tests.traces import traces
from warehouse import diary
from warehouse.contracts import feed
from warehouse.pseudonyms import pseudonym, pseudonymous_keys, use_key

KEY = "a key of thirty-two characters.."
IDS = [f"delivered-id-{number}" for number in range(40)]


def night_of(folder: Folder, run_id: str, key: str | None) -> Night:
    night = Night(
        run_id=run_id,
        as_of_date=date(2024, 3, 1),
        source=f"files:{folder.path}",
        home=folder.path,
        secrets=Secrets(pseudonym_key=SecretStr(key) if key else None),
    )
    diary.start_run(
        folder.con,
        diary.Run(
            run_id=run_id, as_of_date=night.as_of_date, source=night.source, settings_json="{}", code_version="1"
        ),
    )
    return night


def land(folder: Folder) -> None:
    users = "".join(f"{name},2,\n" for name in IDS[1:-1])
    folder.write("users.csv", f"USER_ID,household_size,erased_at\n{IDS[0]},many,\n{users}{IDS[-1]},2,2024-02-01\n")
    folder.write("products.csv", "product_id\np\n")
    folder.write("orders.csv", "order_id,user_id,ordered_at\n" + "".join(f"o{id},{id},2024-02-01\n" for id in IDS[1:3]))
    folder.write("order_lines.csv", "order_line_id,order_id,product_id,quantity\n1,o1,p,1\n")


@pytest.mark.parametrize("key", [KEY, "longer than a block of the hash " * 3, "ü" * 40])
def test_a_pseudonym_is_the_hmac_that_everybody_can_compute(folder: Folder, key: str) -> None:
    use_key(folder.con, key)
    folder.con.execute("create temp table keys as select unnest(['u1', 'ünï', '', null]) as user_id")
    pseudonymous_keys(folder.con, feed("users"), "keys")
    expected = [hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()[:32] for name in ("u1", "ünï", "")]
    assert folder.rows("from keys") == [*((name,) for name in expected), (None,)]
    assert pseudonym(key, "u1") == expected[0]


def test_with_a_key_no_delivered_id_is_in_any_byte(folder: Folder) -> None:
    land(folder)
    assert ingest_feeds(folder.con, night_of(folder, "night", KEY)).erased_users == 1
    users = {name for (name,) in folder.rows("select user_id from raw.users")}
    assert users == {pseudonym(KEY, name) for name in IDS[1:-1]}
    assert {name for (name,) in folder.rows("select user_id from raw.orders")} < users
    ((set_aside,),) = folder.rows("select row_json from ops.quarantined_rows")
    assert pseudonym(KEY, IDS[0]) in set_aside and '"many"' in set_aside
    assert folder.rows("select user_hash from ops.erased_users") == [
        (hashlib.sha256(pseudonym(KEY, IDS[-1]).encode()).hexdigest(),)
    ]
    folder.con.execute("checkpoint")
    for file in folder.path.glob("*.csv"):
        file.unlink()
    folder.con.close()
    assert traces([*IDS[:5], IDS[-1], KEY], folder.path) == set()


@pytest.mark.parametrize(("before", "after"), [(KEY, None), (None, KEY), (KEY, KEY[::-1])])
def test_another_key_is_refused_and_nothing_is_loaded(folder: Folder, before: str | None, after: str | None) -> None:
    land(folder)
    ingest_feeds(folder.con, night_of(folder, "first", before))
    loaded = folder.rows("from raw.users order by all")
    land(folder)
    folder.write("users.csv", f"user_id\n{IDS[3]}\n")
    with pytest.raises(GateStopped, match=r"another key of pseudonyms.*Remedy.*FIVEFOLD_PSEUDONYM_KEY"):
        ingest_feeds(folder.con, night_of(folder, "second", after))
    assert folder.rows("from raw.users order by all") == loaded
    ingest_feeds(folder.con, night_of(folder, "third", before))


def test_a_key_that_can_be_guessed_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_secrets(load_settings()).pseudonym_key is None
    monkeypatch.setenv("FIVEFOLD_PSEUDONYM_KEY", "hunter2")
    with pytest.raises(SettingsError, match="Remedy: take what `openssl rand -hex 32` prints") as refused:
        load_secrets(load_settings())
    assert "hunter2" not in str(refused.value)
    monkeypatch.setenv("FIVEFOLD_PSEUDONYM_KEY", KEY)
    secrets = load_secrets(load_settings())
    assert secrets.pseudonym_key is not None and KEY not in f"{secrets!r} {load_settings().model_dump_json()}"
