#!/usr/bin/env bash
# Checks kubernetes.yaml with kubeconform against what Kubernetes says of itself: both come as Go modules, schemas are made of its OpenAPI.
# `make kubernetes-check` calls it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
release=1.31.4
dir=$(go mod download -json "k8s.io/kubernetes@v$release" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
python3 - "$dir/api/openapi-spec/swagger.json" <<'EOF'
import json, sys
any_of = lambda *types: {"oneOf": [{"type": t} for t in types]}
def strict(o):
    if isinstance(o, list):
        return [strict(x) for x in o]
    if not isinstance(o, dict):
        return o
    if "$ref" in o:
        return {"$ref": o["$ref"]}
    o = {k: strict(v) for k, v in o.items()}
    if "properties" in o:
        o.setdefault("additionalProperties", False)
    return o
definitions = {k: strict(v) for k, v in json.load(open(sys.argv[1]))["definitions"].items()}
definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = any_of("string", "integer")
definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = any_of("string", "number")
for name, kind in {"deployment-apps-v1": "apps.v1.Deployment", "networkpolicy-networking-v1": "networking.v1.NetworkPolicy"}.items():
    json.dump({"$ref": "#/definitions/io.k8s.api." + kind, "definitions": definitions}, open(name + ".json", "w"))
EOF
go run github.com/yannh/kubeconform/cmd/kubeconform@v0.6.7 -strict -verbose -summary -kubernetes-version "$release" \
  -schema-location "$work/{{ .ResourceKind }}{{ .KindSuffix }}.json" "$here/kubernetes.yaml"
