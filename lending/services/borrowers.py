"""People and firms as an institution reports them: found again where known, else written, in sets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from daybook.columns import insert_columns
from lending.models import Enterprise, Person
from lending.services.identity import digests

WOMAN_OWNED_RULE = "SMESPD 01/2025"
EARLIER_RULE = "more than half owned"
RULE_CHANGED = pd.Timestamp("2025-03-17")


def people_of(rows: pd.DataFrame, *, institution_id: int) -> np.ndarray:
    """Person ids by row. The same NID is the same person; without one, every row is another person."""
    key = rows["nid"].where(rows["nid"] != "", "row " + pd.Series(rows.index.astype(str), index=rows.index))
    known = dict(
        Person.objects.filter(
            institution_id=institution_id, nid__in=[nid for nid in rows["nid"].unique() if nid]
        ).values_list("nid", "pk")
    )
    new = rows[~key.isin(known) & ~key.duplicated()]
    ids = insert_columns(
        "lending_person",
        {
            "institution_id": np.full(len(new), institution_id, dtype=np.int64),
            "name": new["person_name"].tolist(),
            "name_bn": [""] * len(new),
            "nid": new["nid"].tolist(),
            "identity_digest": digests(new["nid"]).tolist(),
            "gender": new["gender"].tolist(),
            "phone": new["phone"].tolist(),
        },
    )
    return key.map(known | dict(zip(key[new.index], ids.tolist(), strict=True))).to_numpy(dtype=np.int64)


def enterprises_of(rows: pd.DataFrame, people: np.ndarray, *, institution_id: int) -> np.ndarray:
    """Enterprise ids by row. The same licence is the same firm; else the same name of the same person."""
    licence = rows["trade_licence"]
    owner = pd.Series(people.astype(str), index=rows.index)
    key = licence.where(licence != "", rows["enterprise_name"] + " of person " + owner)
    known = dict(
        Enterprise.objects.filter(
            institution_id=institution_id, trade_licence__in=[text for text in licence.unique() if text]
        ).values_list("trade_licence", "pk")
    )
    is_new = ~key.isin(known) & ~key.duplicated()
    new = rows[is_new]
    ids = insert_columns(
        "lending_enterprise",
        {
            "institution_id": np.full(len(new), institution_id, dtype=np.int64),
            "name": new["enterprise_name"].tolist(),
            "trade_licence": new["trade_licence"].tolist(),
            "size_tier": new["size_tier"].tolist(),
            "activity": new["activity"].tolist(),
            "sector": new["sector"].tolist(),
            "cluster_id": [int(cluster) for cluster in new["cluster_id"]],
            "district_id": new["district_id"].tolist(),
            "is_woman_owned": new["is_woman_owned"].to_numpy(dtype=bool),
            "woman_owned_rule": [
                WOMAN_OWNED_RULE if day >= RULE_CHANGED else EARLIER_RULE for day in new["disbursed_date"]
            ],
        },
    )
    insert_columns(
        "lending_ownership",
        {
            "institution_id": np.full(len(new), institution_id, dtype=np.int64),
            "person_id": people[is_new.to_numpy()],
            "enterprise_id": ids,
            "share_percent": ["100"] * len(new),
            "role": ["proprietor"] * len(new),
            "from_date": [day.date() for day in new["disbursed_date"]],
        },
    )
    return key.map(known | dict(zip(key[new.index], ids.tolist(), strict=True))).to_numpy(dtype=np.int64)
