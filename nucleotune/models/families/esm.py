"""ESM, the stock classes of transformers, set up as Nucleotide Transformer has them."""

from collections.abc import Mapping
from typing import Any

from nucleotune.models.families import base


def _classes() -> base.Classes:
    from transformers import EsmConfig, EsmForMaskedLM, EsmForSequenceClassification

    return base.Classes(EsmConfig, EsmForSequenceClassification, EsmForMaskedLM)


def _positions(sizes: Mapping[str, Any], pad_id: int) -> int | None:
    if sizes["position_embedding_type"] == "rotary":
        return None
    # Padding has the position `pad_id`; the sequence's begin one behind it (transformers' modeling_esm).
    return sizes["max_position_embeddings"] - pad_id - 1


def _shapes(sizes: Mapping[str, Any]) -> base.Shapes:
    rows, hidden = sizes["vocab_size"], sizes["hidden_size"]
    layers, heads = sizes["num_hidden_layers"], sizes["num_attention_heads"]
    shapes: base.Shapes = {
        "esm.embeddings.word_embeddings.weight": (rows, hidden),
        "esm.embeddings.position_embeddings.weight": (sizes["max_position_embeddings"], hidden),
    }
    for number in range(layers):
        layer = f"esm.encoder.layer.{number}"
        shapes |= base.stock_layer(layer, hidden, sizes["intermediate_size"])
        shapes |= base.norm(f"{layer}.attention.LayerNorm", hidden)
        shapes |= base.norm(f"{layer}.LayerNorm", hidden)
    return shapes | {
        **base.norm("esm.encoder.emb_layer_norm_after", hidden),
        **base.linear("esm.contact_head.regression", 1, layers * heads),
        **base.linear("lm_head.dense", hidden, hidden),
        **base.norm("lm_head.layer_norm", hidden),
        "lm_head.decoder.weight": (rows, hidden),
        "lm_head.bias": (rows,),
    }


FAMILY = base.Family(
    name="esm",
    classes=_classes,
    required=(*base.SIZES, "max_position_embeddings"),
    # Those of transformers, which leaves a field that has its default out of some config.json.
    defaults={
        "position_embedding_type": "absolute",
        "emb_layer_norm_before": False,
        "token_dropout": False,
        "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
    },
    choices={"position_embedding_type": ("absolute", "rotary")},
    fixed={"model_type": "esm", "is_folding_model": False},
    settings={"mask_token_id": 2, "tie_word_embeddings": False},
    pad_id=1,
    by_padding=True,
    positions=_positions,
    lora_targets=("attention.self.query", "attention.self.value"),
    # The contact head is read by no forward pass, only by `predict_contacts`.
    optional=("pooler.", "contact_head."),
    computed=("rotary_embeddings.inv_freq",),
    shapes=_shapes,
    tied={},
    counter="esm.embeddings.position_ids",
    extras={
        "architectures": ["EsmForMaskedLM"],
        "model_type": "esm",
        "pad_token_id": 1,
        "mask_token_id": 2,
        "is_folding_model": False,
        "esmfold_config": None,
        "vocab_list": None,
        "tie_word_embeddings": False,
    },
)
