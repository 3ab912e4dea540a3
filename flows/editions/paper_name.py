"""What a paper is called where there is little room: the name that its authors gave to what they made. Pure."""

from __future__ import annotations

import re

from flows.editions import excerpt, maths

_REPORT = re.compile(r" Technical Report$")
SHORT = 30
"""Characters of a name: what is longer before a colon is half a title."""
LONGEST = 60

_COLON = re.compile(r": |(?<=[A-Za-z]):(?=[A-Z][a-z])")
_MADE = re.compile(
    r"\b(?:propos|introduc|present|releas|develop|call|dub|nam|term|build|built|creat|describ|establish)\w*"
    r"(?:\s+(?:it|this|the|a|an|our|new|novel|method|framework|model|benchmark|dataset|approach|system|as|of|and)\b)*"
    r"[\s(\"“‘']+(?P<name>[A-Z][\w+.-]*(?: \d[\w.]*)?)(?P<told>,? an? |: | \()?"
)
_SAYS = re.compile(r"[A-Za-z][a-z]*[A-Z]|[A-Z]{2}|\d")
"""A name shows that it is one by a capital within a word, or by a number."""
_COMMON = re.compile(
    r"(?:2D|3D|AI|APIs?|BERT|CLIP|CNN|CPU|CoT|DNN|GAN|GPT|GPUs?|GRPO|GUI|KV|M?LLMs?|LoRA|MCMC|MCTS|MDP|ML|MoE|NLP|NeRF"
    r"|OCR|ODE|PDE|PPO|QA|RAG|RL|RLHF|RLVR|RNN|SDE|SFT|SLAM|SOTA|UAV|UI|VLA|VLMs?|VQA|ViT)"
)
"""Names that are everybody's."""


def paper_name(title: str, abstract: str = "") -> str:
    """A paper's name: what stands before the colon of its title ("MusaCoder: …"), else what the abstract says its
    authors made ("we present SciReasoner"), else the title, cut after a word.

    One line of plain text, at most `LONGEST` characters, empty only for an empty title.
    """
    plain = maths.text(title)
    before, *rest = _COLON.split(plain, maxsplit=1)
    if rest and 2 <= len(before) <= SHORT:
        return before
    return _made(title, abstract) or excerpt.short_title(_REPORT.sub("", title), LONGEST)


def _made(title: str, abstract: str) -> str:
    """A name that the abstract introduces, and uses: told once it may be anybody's."""
    for found in _MADE.finditer(abstract):
        name = found["name"].rstrip(".-,")
        if not 3 <= len(name) <= SHORT or _COMMON.fullmatch(name.split()[0]):
            continue
        used = re.findall(rf"(?<![\w-]){re.escape(name)}(?![\w-])", f"{title} {abstract}")
        if (_SAYS.search(name) and len(used) > 1) or (found["told"] and name.isalpha()):
            return maths.text(name)
    return ""
