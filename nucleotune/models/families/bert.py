"""BERT, the stock classes of transformers: DNABERT, SpeciesLM."""

from collections.abc import Mapping
from typing import Any

from nucleotune.models.families import base


def _classes() -> base.Classes:
    from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

    return base.Classes(BertConfig, BertForSequenceClassification, BertForMaskedLM)


def _shapes(sizes: Mapping[str, Any]) -> base.Shapes:
    rows, hidden = sizes["vocab_size"], sizes["hidden_size"]
    shapes: base.Shapes = {
        "bert.embeddings.word_embeddings.weight": (rows, hidden),
        "bert.embeddings.position_embeddings.weight": (sizes["max_position_embeddings"], hidden),
        "bert.embeddings.token_type_embeddings.weight": (sizes["type_vocab_size"], hidden),
        **base.norm("bert.embeddings.LayerNorm", hidden),
    }
    for number in range(sizes["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{number}"
        shapes |= base.stock_layer(layer, hidden, sizes["intermediate_size"])
        shapes |= base.norm(f"{layer}.attention.output.LayerNorm", hidden)
        shapes |= base.norm(f"{layer}.output.LayerNorm", hidden)
    return shapes | {
        **base.linear("cls.predictions.transform.dense", hidden, hidden),
        **base.norm("cls.predictions.transform.LayerNorm", hidden),
        **base.linear("cls.predictions.decoder", rows, hidden),
        "cls.predictions.bias": (rows,),
    }


FAMILY = base.Family(
    name="bert",
    classes=_classes,
    required=(*base.SIZES, "max_position_embeddings"),
    # Those of transformers, which leaves a field that has its default out of some config.json.
    defaults={
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
    },
    choices={"hidden_act": ("gelu", "gelu_new", "relu", "silu")},
    fixed={"model_type": "bert", "position_embedding_type": "absolute"},
    pad_id=0,
    positions=lambda sizes, pad_id: sizes["max_position_embeddings"],
    lora_targets=("attention.self.query", "attention.self.value"),
    renamed={"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"},
    shapes=_shapes,
    tied={
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    },
    counter="bert.embeddings.position_ids",
    extras={
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        "pad_token_id": 0,
        "do_sample": False,
        "eos_token_ids": 0,
        "num_rnn_layer": 1,
        "rnn": "lstm",
        "rnn_dropout": 0.0,
        "rnn_hidden": 768,
        "split": 10,
    },
)
