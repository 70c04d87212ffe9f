"""The OpenAPI page: valid, complete, with words and examples. Answers are held against it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hold_stack import Api
from openapi_check import OpenApiCheck
from openapi_spec_validator import validate

from serving.holds.problems import KINDS, URN

OPERATIONS = {
    ("/v1/holds", "post"): "hold",
    ("/v1/holds/{hold_id}", "get"): "read",
    ("/v1/holds/{hold_id}/confirm", "post"): "confirm",
    ("/v1/holds/{hold_id}/release", "post"): "release",
    ("/v1/holds/{hold_id}/extend", "post"): "extend",
    ("/v1/availability", "get"): "availability",
    ("/v1/coupons", "post"): "issueCoupon",
    ("/v1/coupons/{coupon}", "get"): "readCoupon",
    ("/v1/coupons/{coupon}/reserve", "post"): "reserveCoupon",
    ("/v1/coupons/{coupon}/redeem", "post"): "redeemCoupon",
    ("/v1/coupons/{coupon}/release", "post"): "releaseCoupon",
    ("/v1/coupons/{coupon}/rollback", "post"): "rollBackCoupon",
    ("/v1/offers", "post"): "offers",
    ("/health", "get"): "health",
}


@pytest.fixture
def page(api: Api) -> dict[str, Any]:
    assert api.check is not None
    return api.check.page


def test_the_page_is_valid_and_complete(page: dict[str, Any]) -> None:
    validate(page)
    found = {
        (path, method): operation["operationId"]
        for path, item in page["paths"].items()
        for method, operation in item.items()
    }
    assert found == OPERATIONS
    for path, item in page["paths"].items():
        for operation in item.values():
            assert operation["summary"]
            assert operation["description"]
            assert bool(operation.get("security")) == (path != "/health")
    assert all(f"`{URN}{name}`" in page["info"]["description"] for name in KINDS)


def test_the_examples_are_of_their_schemas(page: dict[str, Any], api: Api) -> None:
    schema = page["components"]["schemas"]["HoldRequest"]
    (example,) = schema["examples"]
    assert api.client.post("/v1/holds", json=example).status_code == 422
    for item in page["paths"].values():
        for operation in item.values():
            for status, promised in operation["responses"].items():
                content = promised["content"].get("application/problem+json", {})
                for each in content.get("examples", {}).values():
                    assert str(each["value"]["status"]) == status
                    assert each["value"]["type"].removeprefix(URN) in KINDS


def test_the_check_notices_other_answers(page: dict[str, Any], api: Api) -> None:
    answer = api.client.get("/health")
    page = copy.deepcopy(page)
    del page["components"]["schemas"]["HealthAnswer"]["properties"]["gate"]["enum"][0]
    changed = OpenApiCheck(page)
    with pytest.raises(Exception, match="is not one of"):
        changed(answer)
    del page["paths"]["/health"]["get"]["responses"]["200"]
    with pytest.raises(AssertionError, match="answered 200"):
        changed(answer)
