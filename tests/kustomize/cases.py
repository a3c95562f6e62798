"""Overlays by name: the files of each, with the overlay in the folder `o`."""

import textwrap
from collections.abc import Mapping

Files = Mapping[str, str]

FUNCTION = """\
apiVersion: lambda.services.k8s.aws/v1alpha1
kind: Function
metadata: {name: fn, labels: {team: a, tier: web}}
spec:
  name: fn
  memorySize: 128
  environment: {variables: {A: "1", B: "2"}}
  layers: [a, b, c]
  tags: {x: "y"}
"""
GROUP = """\
apiVersion: cloudwatchlogs.services.k8s.aws/v1alpha1
kind: LogGroup
metadata: {name: logs, annotations: {services.k8s.aws/deletion-policy: retain}}
spec: {name: /aws/lambda/fn, retentionDays: 14, tags: {x: "y"}}
"""
IDENTITY = "apiVersion: lambda.services.k8s.aws/v1alpha1\nkind: Function\nmetadata: {name: fn}\n"
ANY = "apiVersion: v1\nkind: any\nmetadata: {name: any}\n"


def overlay(patch: str = "", *, target: str = "", base: str = FUNCTION, more: str = "") -> Files:
    """One base file, and at most one inline patch."""
    text = "resources: [base.yaml]\n" + more
    if patch:
        text += f"patches:\n  - patch: |\n{textwrap.indent(patch, '      ')}"
        text += f"    target: {target}\n" if target else ""
    return {"o/kustomization.yaml": text, "o/base.yaml": base}


def merge(spec: str, base: str = FUNCTION) -> Files:
    """A strategic-merge patch of the function's spec."""
    return overlay(f"{IDENTITY}spec: {spec}\n", base=base)


def operations(*lines: str) -> Files:
    """A JSON 6902 patch of the function."""
    return overlay("".join(f"- {line}\n" for line in lines), target="{kind: Function}")


def targeted(target: str) -> Files:
    """A patch of what the target chooses, out of a function and a log group."""
    return overlay(f"{ANY}spec: {{description: chosen}}\n", target=target, base=f"{FUNCTION}---\n{GROUP}")


def scalar(text: str) -> Files:
    """A plain scalar in a resource, in a merge patch and in an operation."""
    base = f"{FUNCTION}  zz: {text}\n"
    patches = textwrap.indent(
        f"- patch: |\n    {IDENTITY.replace(chr(10), chr(10) + '    ')}spec:\n      yy: {text}\n", "  "
    )
    return {"o/base.yaml": base, "o/kustomization.yaml": f"resources: [base.yaml]\npatches:\n{patches}"}


_NESTED: Files = {
    "o/kustomization.yaml": "resources: [../p, base.yaml]\nlabels: [{pairs: {stage: o}}]\n",
    "o/base.yaml": FUNCTION,
    "p/kustomization.yaml": "resources: [../q, more/logs.yaml]\nlabels: [{pairs: {stage: p, from: p}}]\n",
    "p/more/logs.yaml": GROUP,
    "q/kustomization.yaml": "resources: [gn.yaml]\npatches: [{path: patch.yaml, target: {kind: Function}}]\n",
    "q/gn.yaml": FUNCTION.replace("fn", "gn"),
    "q/patch.yaml": "- {op: remove, path: /spec/tags}\n",
}

AGREED: Mapping[str, Files] = {
    "merge-scalar": merge("{memorySize: 256}"),
    "merge-null": merge("{memorySize: null, absent: null}"),
    "merge-null-in-new-map": merge("{new: {a: null, b: {c: null}, d: 1}}"),
    "merge-all-keys-null": merge("{tags: {x: null}, environment: {variables: {A: null, B: null}}}"),
    "merge-null-in-base": merge(
        "{a: {b: 1}, b: 2, c: [3]}",
        f"{FUNCTION}  a: null\n  b: null\n  c: null\n  d: {{e: null}}\n  f: [null]\n",
    ),
    "merge-empty-map": merge("{tags: {}, new: {}}"),
    "merge-list": merge("{layers: [z]}"),
    "merge-empty-list": merge("{layers: []}"),
    "merge-list-of-null": merge("{layers: [null, {a: null}]}"),
    "merge-list-with-names": merge(
        "{permissions: [{name: a, key: a, v: 2}]}",
        f"{FUNCTION}  permissions: [{{name: a, key: a, v: 1}}, {{name: b, key: b, v: 1}}]\n",
    ),
    "merge-list-of-containers": merge(
        "{containers: [{name: a, image: z}]}",
        f"{FUNCTION}  containers: [{{name: a, image: x}}, {{name: b, image: y}}]\n",
    ),
    "merge-replace-directive": merge("{environment: {variables: {$patch: replace, C: '3', D: null}}}"),
    "merge-replace-of-nothing": merge("{new: {$patch: replace, C: '3'}}"),
    "merge-delete-directive": merge("{tags: {$patch: delete}, new: {$patch: delete}}"),
    "merge-merge-directive": merge("{tags: {$patch: merge, q: r}}"),
    "merge-directive-in-a-list": merge("{layers: [{$patch: replace}, q]}"),
    "merge-metadata": overlay(
        f"{IDENTITY.replace('{name: fn}', '{name: fn, annotations: {a: b}, labels: {team: null, new: v}}')}"
    ),
    "merge-last-annotation-away": overlay(
        "apiVersion: cloudwatchlogs.services.k8s.aws/v1alpha1\nkind: LogGroup\n"
        "metadata: {name: logs, annotations: {services.k8s.aws/deletion-policy: null}, labels: {a: null}}\n",
        base=GROUP,
    ),
    "merge-deletes-a-resource": overlay(f"$patch: delete\n{IDENTITY}", base=f"{FUNCTION}---\n{GROUP}"),
    "merge-text": merge("{description: 'ü → ☃ \"q\" \\ #'}"),
    "merge-block-at-the-end": overlay(f"{IDENTITY}spec:\n  description: |+\n    a\n    b\n\n"),
    "merge-block-inside": overlay(
        f"{IDENTITY}spec:\n  description: |\n    a\n    b\n  z: >-\n    c\n    d\n"
    ),
    "merge-alias": merge("{a: &x {q: 1}, b: *x}"),
    "merge-from-a-file": {
        "o/kustomization.yaml": "resources: [base.yaml]\npatches: [{path: patches/p.yaml}]\n",
        "o/base.yaml": FUNCTION,
        "o/patches/p.yaml": f"{IDENTITY}spec:\n  description: |\n    a\n    b\n",
    },
    "operation-add": operations(
        "{op: add, path: /spec/x, value: {a: [1]}}", "{op: add, path: /spec/memorySize, value: 1}"
    ),
    "operation-add-to-list": operations(
        "{op: add, path: /spec/layers/-, value: z}",
        "{op: add, path: /spec/layers/1, value: w}",
        "{op: add, path: /spec/layers/5, value: x}",
    ),
    "operation-add-null": operations("{op: add, path: /spec/x, value: null}", "{op: add, path: /spec/y}"),
    "operation-escapes": operations("{op: add, path: /spec/tags/a~1b~0c, value: '1'}"),
    "operation-remove": operations("{op: remove, path: /spec/layers/0}", "{op: remove, path: /spec/tags}"),
    "operation-replace": operations(
        "{op: replace, path: /spec/layers/1, value: Q}",
        "{op: replace, path: /spec/memorySize, value: null}",
    ),
    "operation-replace-whole": operations("{op: replace, path: /spec, value: {}}"),
    "operation-test": operations(
        "{op: test, path: /spec/memorySize, value: 128}",
        "{op: test, path: /spec/layers, value: [a, b, c]}",
        "{op: add, path: /spec/x, value: 1}",
    ),
    "operation-move": operations(
        "{op: move, from: /spec/layers/0, path: /spec/layers/2}",
        "{op: move, from: /spec/tags, path: /spec/moved}",
    ),
    "operation-copy": operations(
        "{op: copy, from: /spec, path: /spec/inner}", "{op: copy, from: /spec/layers/0, path: /spec/layers/-}"
    ),
    "operation-in-json": overlay(
        '[{"op": "add", "path": "/spec/x", "value": 1}]\n', target="{kind: Function}"
    ),
    "operation-text-at-the-end": overlay(
        "- op: add\n  path: /spec/d\n  value: |\n    a\n    b\n", target="{name: fn}"
    ),
    "target-kind": targeted("{kind: Function}"),
    "target-kinds": targeted("{kind: Function|LogGroup}"),
    "target-pattern": targeted("{kind: 'Log.*', name: 'l[a-o]+s'}"),
    "target-anchors-of-its-own": targeted("{kind: ^Function$}"),
    "target-group-and-version": targeted("{group: lambda.services.k8s.aws, version: v1alpha1}"),
    "target-everything": targeted("{version: v1.*}"),
    "target-default-namespace": targeted("{namespace: default, kind: LogGroup}"),
    "target-labels": targeted("{labelSelector: 'team=a,tier==web'}"),
    "target-label-of-one": targeted("{kind: '.*', labelSelector: team=a}"),
    "labels": overlay(
        base=f"{FUNCTION}---\n{GROUP}", more="labels: [{pairs: {team: z}}, {pairs: {new: v}}]\n"
    ),
    "labels-after-patches": overlay(
        f"{IDENTITY.replace('{name: fn}', '{name: fn, labels: {team: patched}}')}",
        more="labels: [{pairs: {team: z}}]\n",
    ),
    "bases-nested": _NESTED,
    "documents-empty": overlay(base=f"---\n{FUNCTION}---\n---\n# nothing\n---\n{GROUP}"),
    "annotations-empty": overlay(base=FUNCTION.replace("metadata: {", "metadata: {annotations: {}, ")),
    "patches-in-order": {
        "o/base.yaml": FUNCTION,
        "o/kustomization.yaml": "resources: [base.yaml]\n"
        "patches: [{path: a.yaml}, {path: b.yaml, target: {name: f.}}]\n",
        "o/a.yaml": f"{IDENTITY}spec: {{n: {{v: 1}}}}\n",
        "o/b.yaml": "- {op: test, path: /spec/n/v, value: 1}\n- {op: replace, path: /spec/n/v, value: 2}\n",
    },
    **{
        f"scalar-{name}": scalar(text)
        for name, text in {
            "no": "no",
            "yes": "yes",
            "on": "on",
            "y": "y",
            "clock": "12:30",
            "stamp": "2024-01-01T00:00:00Z",
            "tilde": "~",
            "null": "null",
            "true": "true",
            "quoted": "'true'",
            "quoted-number": "'012'",
            "negative": "-1",
            "zero": "-0",
            "fraction": "0.10",
            "big": "9007199254740993",
            "empty": "''",
            "escaped": '"\\u00e9"',
            "equals": "=",
            "string-tag": "!!str 12",
            "version": "1.2.3",
            "ip": "10.0.0.1",
            "colons": "a:b",
            "hash": "a#b",
            "dollar": "${Table.x.arn}",
            "percent": "50%",
            "date-like": "2024-1",
        }.items()
    },
}
"""Overlays of which both make the same resources."""

REFUSED: Mapping[str, Files] = {
    "merge-scalar-to-map": merge("{memorySize: {a: 1}}"),
    "merge-map-to-list": merge("{tags: [q]}"),
    "merge-list-to-scalar": merge("{layers: q}"),
    "merge-unknown-directive": merge("{tags: {$patch: bogus}}"),
    "merge-no-match": overlay(f"{IDENTITY.replace('fn', 'other')}spec: {{memorySize: 1}}\n"),
    "merge-other-version": overlay(f"{IDENTITY.replace('v1alpha1', 'v1')}spec: {{memorySize: 1}}\n"),
    "merge-without-identity": overlay("spec: {memorySize: 1}\n", target="{kind: Function}"),
    "merge-without-name": overlay(
        "apiVersion: v1\nkind: Function\nspec: {memorySize: 1}\n", target="{kind: Function}"
    ),
    "operation-flow-list": overlay("[{op: add, path: /spec/x, value: 1}]\n", target="{kind: Function}"),
    "operation-none": overlay("[]\n", target="{kind: Function}"),
    "operation-without-target": overlay("- {op: add, path: /spec/x, value: 1}\n"),
    "operation-unknown": operations("{op: bogus, path: /spec}"),
    "operation-remove-nothing": operations("{op: remove, path: /spec/zz}"),
    "operation-remove-beyond": operations("{op: remove, path: /spec/layers/9}"),
    "operation-add-beyond": operations("{op: add, path: /spec/layers/4, value: z}"),
    "operation-add-below-nothing": operations("{op: add, path: /spec/a/b, value: 1}"),
    "operation-add-below-scalar": operations("{op: add, path: /spec/memorySize/x, value: z}"),
    "operation-replace-end": operations("{op: replace, path: /spec/layers/-, value: Q}"),
    "operation-move-nothing": operations("{op: move, from: /spec/zz, path: /spec/moved}"),
    "operation-move-into-itself": operations("{op: move, from: /spec/tags, path: /spec/tags/in}"),
    "operation-test-differs": operations("{op: test, path: /spec/memorySize, value: 129}"),
    "operation-test-text": operations("{op: test, path: /spec/memorySize, value: '128'}"),
    "target-broken-pattern": targeted("{name: '(fn'}"),
    "key-twice": overlay(base=f"{FUNCTION}  name: q\n"),
    "key-number": overlay(base=f"{FUNCTION}  a: {{1: x}}\n"),
    "key-boolean": overlay(base=f"{FUNCTION}  a: {{true: x}}\n"),
    "key-null": overlay(base=f"{FUNCTION}  a: {{null: x}}\n"),
    "label-number": overlay(more="labels: [{pairs: {a: 1}}]\n"),
    "file-missing": {"o/kustomization.yaml": "resources: [none.yaml]\n"},
    "file-outside": {"o/kustomization.yaml": "resources: [../x.yaml]\n", "x.yaml": FUNCTION},
    "cycle": {"o/kustomization.yaml": "resources: [../o]\n"},
    "key-of-kustomization-unknown": overlay(more="resourcez: []\n"),
    "patch-with-both": {
        **overlay(),
        "o/kustomization.yaml": "resources: [base.yaml]\npatches: [{path: base.yaml, patch: 'a: 1'}]\n",
    },
}
"""Overlays that both refuse."""

STRICTER: Mapping[str, tuple[str, Files]] = {
    "target-matches-nothing": ("overlay-no-match", targeted("{name: f}")),
    "target-in-lower-case": ("overlay-no-match", targeted("{kind: function}")),
    "target-label-differs": ("overlay-no-match", targeted("{labelSelector: team=b}")),
    "target-label-exists": ("overlay-selector", targeted("{labelSelector: team}")),
    "target-annotation": ("manifest-unknown-field", targeted("{annotationSelector: a=b}")),
    "target-pattern-of-go": ("overlay-target", targeted("{name: '(?i)FN'}")),
    "merge-without-version": (
        "manifest-missing-field",
        overlay("kind: Function\nmetadata: {name: fn}\nspec: {memorySize: 1}\n", target="{kind: Function}"),
    ),
    "merge-replace-of-everything": ("overlay-patch", overlay(f"$patch: replace\n{IDENTITY}spec: {{}}\n")),
    "merge-two-documents": ("overlay-patch", overlay(f"{IDENTITY}---\n{IDENTITY}")),
    "operation-replace-nothing": ("overlay-path", operations("{op: replace, path: /spec/zz, value: 1}")),
    "operation-test-nothing": ("overlay-path", operations("{op: test, path: /spec/zz, value: null}")),
    "operation-negative-index": ("overlay-path", operations("{op: remove, path: /spec/layers/-1}")),
    "operation-path-without-slash": ("overlay-patch", operations("{op: add, path: spec/x, value: 1}")),
    "operation-renames": ("overlay-patch", operations("{op: replace, path: /metadata/name, value: gn}")),
    "merge-key": ("manifest-merge-key", overlay(base=f"{FUNCTION}  a: &x {{q: 1}}\n  b: {{<<: *x}}\n")),
    "tag-of-a-number": ("manifest-tag", overlay(base=f"{FUNCTION}  a: !!int '12'\n")),
    "name-suffix": ("manifest-unknown-field", overlay(more="nameSuffix: -x\n")),
    "common-labels": ("manifest-unknown-field", overlay(more="commonLabels: {a: b}\n")),
    "generator": (
        "manifest-unknown-field",
        overlay(more="configMapGenerator: [{name: c, literals: [a=b]}]\n"),
    ),
    "images": ("manifest-unknown-field", overlay(more="images: [{name: a, newTag: b}]\n")),
}
"""Overlays that kustomize builds and that are refused here, each with the code of the error."""

TEXT_HERE = (
    *("1e3", "0o17", "0x1f", "017", "1_000", "2024-01-01", "Null", "True", ".5", "5.", "+1", "01", "0b11"),
    "1e-3",
)
"""Plain scalars that are text here and something else for kustomize: the one known difference.

Our schema takes text where AWS wants text, and an API server refuses a number there, so only a date (which
kustomize lengthens) means two things in silence. What `render` prints is quoted.
"""

TEXT_IN_OPERATIONS = ("no", "yes", "on", "off", "y", "n")
"""Words that kustomize reads as text in resources and merge patches, and as booleans in operations."""
