"""DNABERT-2 (Zhou et al. 2024) for stock transformers and peft: its encoder is none of transformers' own classes.

The architecture is MosaicBERT (Portes et al. 2023): BERT with linear attention biases in the place of position
embeddings (ALiBi: Press et al. 2022), one matrix for query, key and value, and a gated feed-forward layer (GLU). Module
names are those of the published checkpoint `zhihan1996/DNABERT-2-117M`, which therefore loads key by key. There is no
limit to the length of an input: memory and time of attention grow with its square.
"""

import math

import torch
import transformers
from torch import nn
from torch.nn.functional import cross_entropy, dropout, gelu, pad, scaled_dot_product_attention
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPooling, SequenceClassifierOutput
from transformers.utils import can_return_tuple

#: Added to the attention score of a padding token: its weight underflows to 0 (MosaicBERT's value).
PADDING_BIAS = -10_000.0

#: CUDA's fused attention wants rows of the bias to begin at multiples of 8 elements; of others it would make a copy in
#: every layer.
BIAS_ALIGNMENT = 8


class DnaBert2Config(PreTrainedConfig):
    """Sizes of a DNABERT-2; the defaults are those of DNABERT-2-117M.

    `pad_token_id` is that of the published tokenizer: the 0 of the published config.json is its [UNK].
    """

    model_type = "dnabert2"

    vocab_size: int = 4096
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_dropout_prob: float | int = 0.1
    attention_probs_dropout_prob: float | int = 0.0
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 3
    initializer_range: float = 0.02


def alibi_slopes(heads: int) -> list[float]:
    """How fast each head's attention falls with distance (Press et al. 2022, section 3, and their published recipe).

    For a power of two, n, the slopes are 2^(-8/n), 2^(-16/n), ..., 2^-8. Any other number of heads takes those of the
    next lower power of two, then every second slope of the next higher one, from its first.
    """
    lower = 1 << (heads.bit_length() - 1)
    slopes = [2.0 ** (-8 * i / lower) for i in range(1, lower + 1)]
    between = [2.0 ** (-8 * i / (2 * lower)) for i in range(1, 2 * lower + 1, 2)]
    return slopes + between[: heads - lower]


class DnaBert2Embeddings(nn.Module):
    """LayerNorm(word + token type): nothing here tells positions apart."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(
            config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id
        )
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, words: torch.Tensor, token_type_ids: torch.Tensor | None) -> torch.Tensor:
        if token_type_ids is None:
            token_type_ids = torch.zeros(words.shape[:2], dtype=torch.long, device=words.device)
        return self.dropout(self.LayerNorm(words + self.token_type_embeddings(token_type_ids)))


class DnaBert2SelfAttention(nn.Module):
    """softmax(q k' / sqrt(head size) + bias) v, the three of them from one matrix."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob
        self.Wqkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)

    def forward(
        self, hidden: torch.Tensor, bias: torch.Tensor, output_attentions: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        qkv = self.Wqkv(hidden).unflatten(-1, (3, self.heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each: examples, heads, tokens, head size
        p = self.dropout if self.training else 0.0
        if output_attentions:
            scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]) + bias
            attention = scores.softmax(-1)
            context = dropout(attention, p) @ value
        else:
            attention = None
            context = scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=p)
        return context.transpose(1, 2).flatten(2), attention


class DnaBert2AttentionOutput(nn.Module):
    """LayerNorm(input + dense(context))."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, context: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        return self.LayerNorm(hidden + self.dropout(self.dense(context)))


class DnaBert2Attention(nn.Module):
    """Self-attention and its output layer."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__()
        self.self = DnaBert2SelfAttention(config)
        self.output = DnaBert2AttentionOutput(config)

    def forward(
        self, hidden: torch.Tensor, bias: torch.Tensor, output_attentions: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        context, attention = self.self(hidden, bias, output_attentions)
        return self.output(context, hidden), attention


class DnaBert2Mlp(nn.Module):
    """LayerNorm(input + wo(gelu(a) * b)), where a and b are the two halves of gated_layers(input)."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__()
        self.gated_layers = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.wo = nn.Linear(config.intermediate_size, config.hidden_size)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        gate, linear = self.gated_layers(hidden).chunk(2, dim=-1)
        return self.layernorm(hidden + self.wo(self.dropout(gelu(gate) * linear)))


class DnaBert2Layer(GradientCheckpointingLayer):
    """One encoder layer: attention, then the gated feed-forward layer."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__()
        self.attention = DnaBert2Attention(config)
        self.mlp = DnaBert2Mlp(config)

    def forward(
        self, hidden: torch.Tensor, bias: torch.Tensor, output_attentions: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        hidden, attention = self.attention(hidden, bias, output_attentions)
        return self.mlp(hidden), attention


class DnaBert2Encoder(nn.Module):
    """The layers, and the attention bias that they share."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__()
        self.layer = nn.ModuleList(DnaBert2Layer(config) for _ in range(config.num_hidden_layers))
        self.slopes = alibi_slopes(config.num_attention_heads)
        self._alibi: torch.Tensor | None = None

    def forward(
        self,
        hidden: torch.Tensor,
        attention_mask: torch.Tensor | None,
        output_attentions: bool,
        output_hidden_states: bool,
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...] | None, tuple[torch.Tensor, ...] | None]:
        """Last hidden state; if asked for, all of them (the input first), and each layer's attention; else None."""
        kind = hidden.device.type
        # Attention computes in autocast's type: a bias of another one would be cast anew in every layer.
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
        bias = self._bias(attention_mask, hidden.shape[1], dtype, hidden.device)
        states, attentions = [hidden], []
        for layer in self.layer:
            hidden, attention = layer(hidden, bias, output_attentions)
            if output_hidden_states:
                states.append(hidden)
            attentions.append(attention)
        return (
            hidden,
            tuple(states) if output_hidden_states else None,
            tuple(attentions) if output_attentions else None,
        )

    def _bias(
        self,
        attention_mask: torch.Tensor | None,
        length: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> torch.Tensor:
        """What is added to attention scores, (examples or 1, heads, length, length): ALiBi, and that of padding.

        ALiBi is -slope * |i - j|, so a shorter input's is a corner of a longer one's: the largest one is kept.
        """
        size = math.ceil(length / BIAS_ALIGNMENT) * BIAS_ALIGNMENT
        kept = self._alibi
        if kept is None or kept.shape[-1] < size or (kept.dtype, kept.device) != (dtype, device):
            # Made during a prediction, it must still serve the next training step.
            with torch.inference_mode(False):
                positions = torch.arange(size, device=device)
                distances = (positions[:, None] - positions).abs()
                slopes = torch.tensor(self.slopes, device=device)
                kept = self._alibi = (-slopes[:, None, None] * distances).to(dtype)[None]
        bias = kept[:, :, :length, :size]
        if attention_mask is not None:
            padding = PADDING_BIAS * (1 - attention_mask.to(dtype))
            bias = bias + pad(padding, (0, size - length))[:, None, None, :]
        return bias[..., :length]


class DnaBert2Pooler(nn.Module):
    """tanh(dense([CLS])); not part of the published checkpoint, so new weights."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.dense(hidden[:, 0]))


class DnaBert2PreTrainedModel(PreTrainedModel):
    """Initial weights, gradient checkpointing and saving, all of them transformers' own."""

    config_class = DnaBert2Config
    base_model_prefix = "bert"
    supports_gradient_checkpointing = True
    _supports_sdpa = True


class DnaBert2Model(DnaBert2PreTrainedModel):
    """The encoder with its pooler."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__(config)
        self.embeddings = DnaBert2Embeddings(config)
        self.encoder = DnaBert2Encoder(config)
        self.pooler = DnaBert2Pooler(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.embeddings.word_embeddings = value

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPooling:
        """Hidden states of a batch.

        Args:
            input_ids: token ids, int64 (examples, tokens); or else `inputs_embeds`.
            attention_mask: 1 for tokens, 0 for padding, (examples, tokens); None where nothing is padded, which is
                faster and needs no bias per example.
            token_type_ids: int64 (examples, tokens); None: all 0.
            inputs_embeds: word embeddings, float (examples, tokens, hidden size), in the place of `input_ids`.
            output_attentions: also give each layer's attention weights, (examples, heads, tokens, tokens), before
                dropout; computed without the fused kernel.
            output_hidden_states: also give the embeddings and each layer's output, (examples, tokens, hidden size).

        Raises:
            ValueError: both or none of `input_ids` and `inputs_embeds`.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("give either input_ids or inputs_embeds")
        if inputs_embeds is None:
            inputs_embeds = self.embeddings.word_embeddings(input_ids)
        hidden = self.embeddings(inputs_embeds, token_type_ids)
        hidden, states, attentions = self.encoder(
            hidden, attention_mask, bool(output_attentions), bool(output_hidden_states)
        )
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden),
            hidden_states=states,
            attentions=attentions,
        )


class DnaBert2ForSequenceClassification(DnaBert2PreTrainedModel):
    """The encoder with a linear classifier on the pooled [CLS]."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__(config)
        self.bert = DnaBert2Model(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SequenceClassifierOutput:
        """Logits (examples, num_labels), and with `labels`, int64 (examples,), the mean cross-entropy as `loss`.

        The other arguments are those of `DnaBert2Model.forward`.
        """
        encoded = self.bert(
            input_ids,
            attention_mask,
            token_type_ids,
            inputs_embeds,
            output_attentions,
            output_hidden_states,
        )
        logits = self.classifier(self.dropout(encoded.pooler_output))
        return SequenceClassifierOutput(
            loss=None if labels is None else cross_entropy(logits, labels),
            logits=logits,
            hidden_states=encoded.hidden_states,
            attentions=encoded.attentions,
        )


transformers.AutoConfig.register(DnaBert2Config.model_type, DnaBert2Config)
transformers.AutoModelForSequenceClassification.register(
    DnaBert2Config, DnaBert2ForSequenceClassification
)
