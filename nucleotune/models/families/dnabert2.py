"""DNABERT-2, whose encoder is this project's own: `models.dnabert2`."""

from collections.abc import Mapping
from typing import Any

from nucleotune.models.families import base


def _classes() -> base.Classes:
    from nucleotune.models.dnabert2 import DnaBert2Config, DnaBert2ForSequenceClassification

    return base.Classes(DnaBert2Config, DnaBert2ForSequenceClassification, None)


def _shapes(sizes: Mapping[str, Any]) -> base.Shapes:
    rows, hidden, inner = sizes["vocab_size"], sizes["hidden_size"], sizes["intermediate_size"]
    shapes: base.Shapes = {
        "bert.embeddings.word_embeddings.weight": (rows, hidden),
        "bert.embeddings.token_type_embeddings.weight": (sizes["type_vocab_size"], hidden),
        **base.norm("bert.embeddings.LayerNorm", hidden),
    }
    for number in range(sizes["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{number}"
        shapes |= {
            **base.linear(f"{layer}.attention.self.Wqkv", 3 * hidden, hidden),
            **base.linear(f"{layer}.attention.output.dense", hidden, hidden),
            **base.norm(f"{layer}.attention.output.LayerNorm", hidden),
            f"{layer}.mlp.gated_layers.weight": (2 * inner, hidden),
            **base.linear(f"{layer}.mlp.wo", hidden, inner),
            **base.norm(f"{layer}.mlp.layernorm", hidden),
        }
    return shapes | {
        **base.linear("cls.predictions.transform.dense", hidden, hidden),
        **base.norm("cls.predictions.transform.LayerNorm", hidden),
        **base.linear("cls.predictions.decoder", rows, hidden),
    }


FAMILY = base.Family(
    name="dnabert2",
    classes=_classes,
    required=base.SIZES,
    # Those of DNABERT-2-117M.
    defaults={
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.0,
    },
    # It calls itself `bert` in its config.json.
    fixed={"model_type": "bert", "hidden_act": "gelu"},
    pad_id=3,
    positions=lambda sizes, pad_id: None,
    lora_targets=("attention.self.Wqkv",),
    gated=True,
    shapes=_shapes,
    tied={"cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight"},
    counter=None,
    extras={
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        "auto_map": {"AutoModel": "bert_layers.BertModel"},
        "alibi_starting_size": 512,
        "hidden_act": "gelu",
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
    },
)
