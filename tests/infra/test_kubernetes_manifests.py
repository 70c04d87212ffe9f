"""The manifests fit together: who is let in where, what pods may do, and what they are told."""

from __future__ import annotations

import yaml
from deploy_files import KUBERNETES, ROOT, containers, documents, of_kind, workloads

from infra.stack.flows import MORE_FLOWS


def test_manifests_have_what_they_must() -> None:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted({name for name, _ in documents()} - {"kustomization.yaml"})
    seen = set()
    for name, document in documents():
        if document["kind"] == "Kustomization":
            continue
        assert document["apiVersion"], name
        key = (document["kind"], document["metadata"]["name"])
        assert key not in seen
        seen.add(key)
    for one in workloads():
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert one["spec"]["selector"]["matchLabels"] == labels
        if one["kind"] == "StatefulSet":
            assert ("Service", one["spec"]["serviceName"]) in seen
            owned = {claim["metadata"]["name"] for claim in one["spec"]["volumeClaimTemplates"]}
        else:
            owned = set()
        spec = one["spec"]["template"]["spec"]
        there = owned | {volume["name"] for volume in spec.get("volumes", [])}
        for container in spec["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= there
    for service in of_kind("Service"):
        [target] = [
            one
            for one in workloads()
            if one["metadata"]["labels" if "labels" in one["metadata"] else "name"]
            == service["spec"]["selector"]["app.kubernetes.io/name"]
        ]
        opened = {
            port["name"]
            for container in target["spec"]["template"]["spec"]["containers"]
            for port in container.get("ports", [])
        }
        assert {port["targetPort"] for port in service["spec"].get("ports", [])} <= opened


def test_who_writes_to_the_warehouse_is_let_in() -> None:
    """Every workload that is told its address, and nobody else."""
    asked = {
        container["name"]
        for _, container in containers()
        if any(word.startswith("--warehouse=") for word in container.get("args", []))
    }
    [policy] = [one for one in of_kind("NetworkPolicy") if one["metadata"]["name"] == "warehouse"]
    [let_in] = policy["spec"]["ingress"][0]["from"]
    assert set(let_in["podSelector"]["matchExpressions"][0]["values"]) == asked
    assert asked >= {"stock", "channels", *MORE_FLOWS}


def test_who_needs_redis_is_let_in() -> None:
    asked = {
        container["name"]
        for _, container in containers()
        if any(
            each.get("valueFrom", {}).get("secretKeyRef", {}).get("key") == "url"
            for each in container.get("env", [])
        )
    }
    [policy] = [one for one in of_kind("NetworkPolicy") if one["metadata"]["name"] == "redis"]
    [let_in] = policy["spec"]["ingress"][0]["from"]
    assert set(let_in["podSelector"]["matchExpressions"][0]["values"]) == asked


def test_pods_may_do_little_and_are_watched() -> None:
    for spec, container in containers():
        name = container["name"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["runAsUser"] > 0, name
        inside = container["securityContext"]
        assert not inside["allowPrivilegeEscalation"], name
        assert inside["readOnlyRootFilesystem"], name
        assert inside["capabilities"] == {"drop": ["ALL"]}, name
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name
        # Workers have nothing to be asked at: they end when they cannot go on.
        assert "livenessProbe" in container or name in ("hooks", "channels"), name


def test_secrets_are_named_and_never_written() -> None:
    assert of_kind("Secret") == []
    named = set()
    for spec, container in containers():
        named |= {v["secret"]["secretName"] for v in spec.get("volumes", []) if "secret" in v}
        secrets = [
            each["secretRef"] for each in container.get("envFrom", []) if "secretRef" in each
        ]
        named |= {each["name"] for each in secrets}
        named |= {
            each["valueFrom"]["secretKeyRef"]["name"]
            for each in container.get("env", [])
            if "valueFrom" in each
        }
    guide = (ROOT / "docs" / "live.md").read_text()
    expected = ("channels", "contacts", "holds", "hooks", "kafka", "redis", "tokens")
    assert sorted(named) == [f"tillflow-{name}" for name in expected]
    assert [name for name in named if f"secret generic {name} " not in guide] == []
