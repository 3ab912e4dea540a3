"""What TeX's commands look like: tables only.

Names and meanings follow the LaTeX2e reference (https://latexref.xyz), amsmath and amssymb.
"""

from __future__ import annotations

_SMALL = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu xi omicron pi "
    "varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega"
)
_LARGE = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
# ε and φ for both of their forms: few fonts of mail have ϵ and ϕ
_GREEK = dict(zip(f"{_SMALL} {_LARGE}".split(), "αβγδεεζηθϑικϰλμνξοπϖρϱσςτυφφχψωΓΔΘΛΞΠΣΥΦΨΩ", strict=True))

SYMBOLS: dict[str, str] = {
    **_GREEK,
    # binary operators
    "times": "×", "cdot": "·", "pm": "±", "mp": "∓", "div": "÷", "ast": "∗", "star": "⋆", "circ": "∘",
    "bullet": "•", "oplus": "⊕", "ominus": "⊖", "otimes": "⊗", "odot": "⊙", "bigoplus": "⨁", "bigotimes": "⨂",
    "cup": "∪", "cap": "∩", "bigcup": "⋃", "bigcap": "⋂", "sqcup": "⊔", "setminus": "∖", "wedge": "∧",
    "vee": "∨", "land": "∧", "lor": "∨", "ltimes": "⋉", "rtimes": "⋊", "wr": "≀", "amalg": "⨿", "uplus": "⊎",
    "bigwedge": "⋀", "bigvee": "⋁", "boxplus": "⊞", "boxtimes": "⊠", "circledast": "⊛",
    # relations
    "leq": "≤", "le": "≤", "leqslant": "≤", "geq": "≥", "ge": "≥", "geqslant": "≥", "neq": "≠", "ne": "≠",
    "approx": "≈", "approxeq": "≊", "sim": "∼", "simeq": "≃", "cong": "≅", "equiv": "≡", "propto": "∝",
    "ll": "≪", "gg": "≫", "lesssim": "≲", "gtrsim": "≳", "lessapprox": "⪅", "gtrapprox": "⪆", "asymp": "≍",
    "prec": "≺", "succ": "≻", "preceq": "⪯", "succeq": "⪰", "in": "∈", "notin": "∉", "ni": "∋", "subset": "⊂",
    "subseteq": "⊆", "supset": "⊃", "supseteq": "⊇", "subsetneq": "⊊", "mid": "|", "nmid": "∤", "parallel": "∥",
    "perp": "⊥", "models": "⊨", "vdash": "⊢", "dashv": "⊣", "doteq": "≐", "triangleq": "≜", "coloneqq": "≔",
    "lt": "<", "gt": ">", "colon": ":", "bowtie": "⋈", "indep": "⊥",
    # arrows
    "to": "→", "rightarrow": "→", "longrightarrow": "→", "leftarrow": "←", "longleftarrow": "←", "gets": "←",
    "Rightarrow": "⇒", "Longrightarrow": "⇒", "Leftarrow": "⇐", "leftrightarrow": "↔", "Leftrightarrow": "⇔",
    "longleftrightarrow": "↔", "uparrow": "↑", "downarrow": "↓", "updownarrow": "↕", "mapsto": "↦",
    "longmapsto": "↦", "hookrightarrow": "↪", "rightharpoonup": "⇀", "leadsto": "⇝", "rightsquigarrow": "⇝",
    "nearrow": "↗", "searrow": "↘", "swarrow": "↙", "nwarrow": "↖", "iff": "⇔", "implies": "⇒",
    "impliedby": "⇐", "twoheadrightarrow": "↠", "rightleftharpoons": "⇌",
    # large operators and letters
    "sum": "∑", "prod": "∏", "coprod": "∐", "int": "∫", "iint": "∬", "oint": "∮", "partial": "∂", "nabla": "∇",
    "infty": "∞", "emptyset": "∅", "varnothing": "∅", "forall": "∀", "exists": "∃", "nexists": "∄", "neg": "¬",
    "lnot": "¬", "ell": "ℓ", "hbar": "ℏ", "hslash": "ℏ", "Re": "ℜ", "Im": "ℑ", "aleph": "ℵ", "wp": "℘",
    "imath": "ı", "jmath": "ȷ", "complement": "∁", "eth": "ð", "Bbbk": "𝕜", "mho": "℧",
    # dots, delimiters, marks
    "ldots": "…", "dots": "…", "dotsc": "…", "dotsb": "⋯", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱",
    "textellipsis": "…", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈",
    "rceil": "⌉", "lbrace": "{", "rbrace": "}", "lbrack": "[", "rbrack": "]", "vert": "|", "lvert": "|",
    "rvert": "|", "Vert": "‖", "lVert": "‖", "rVert": "‖", "top": "⊤", "bot": "⊥", "angle": "∠", "degree": "°",
    "prime": "′", "dagger": "†", "dag": "†", "ddagger": "‡", "ddag": "‡", "S": "§", "P": "¶", "pounds": "£",
    "euro": "€", "copyright": "©", "checkmark": "✓", "cmark": "✓", "xmark": "✗", "triangle": "△",
    "bigtriangleup": "△", "square": "□", "Box": "□", "blacksquare": "■", "qed": "∎", "diamond": "⋄",
    "Diamond": "◇", "blacktriangle": "▲", "clubsuit": "♣", "heartsuit": "♥", "spadesuit": "♠", "sharp": "♯",
    "flat": "♭", "natural": "♮", "sun": "☉", "odotsun": "☉", "earth": "⊕", "bigstar": "★", "lozenge": "◊",
    # text
    "textdegree": "°", "textquotesingle": "'", "textendash": "–", "textemdash": "—", "textasciitilde": "~",
    "textasciicircum": "^", "textunderscore": "_", "textbackslash": "\\", "backslash": "\\", "textbar": "|",
    "textless": "<", "textgreater": ">", "textbullet": "•", "textregistered": "®", "texttrademark": "™",
    "textquotedblleft": "“", "textquotedblright": "”", "textquoteleft": "‘", "textquoteright": "’",
    "lq": "‘", "rq": "’", "textmu": "µ", "micro": "µ", "texteuro": "€", "textsterling": "£", "textdollar": "$",
    "textpm": "±", "texttimes": "×", "textrightarrow": "→", "slash": "/", "lbracket": "[", "rbracket": "]",
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "aa": "å",
    "AA": "Å", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ",
    # what authors abbreviate
    "eg": "e.g.", "ie": "i.e.", "etal": "et al.", "etc": "etc.", "vs": "vs.", "wrt": "w.r.t.", "cf": "cf.",
    "circone": "①", "circtwo": "②", "circthree": "③", "circfour": "④", "circfive": "⑤",
    "quad": " ", "qquad": " ", "space": " ", "enspace": " ", "thinspace": " ", "nobreakspace": " ", "par": " ",
    "newline": " ", "linebreak": " ",
    "%": "%", "&": "&", "#": "#", "_": "_", "$": "$", "{": "{", "}": "}", "|": "‖",
    ",": " ", ";": " ", ":": " ", " ": " ", ">": " ", "\\": " ", "!": "", "/": "", "-": "", "@": "", "*": "",
}  # fmt: skip

LETTERS = frozenset(_GREEK) | {"ell", "hbar", "imath", "jmath", "Re", "Im"}
"""Symbols that stand for a quantity: a space after them in a formula only ends the command's name."""

OPERATORS = frozenset(("partial", "nabla"))
"""Symbols that belong to what follows them, in prose too."""

_NAMED = (
    "arccos arcsin arctan arg argmax argmin cos cosh cot coth csc deg det diag dim exp gcd hom inf ker lg lim liminf "
    "limsup ln log max min mod poly polylog Pr rank sec sin sinh softmax sup tan tanh tr Tr"
)
NAMED = {name: name for name in _NAMED.split()} | {"bmod": "mod"}
"""Functions that are printed as a name."""

_SILENT = (
    "bfseries mdseries itshape upshape slshape rmfamily sffamily ttfamily scshape normalfont rm sf sl sc tiny "
    "scriptsize footnotesize small normalsize large Large LARGE huge Huge displaystyle textstyle scriptstyle "
    "centering noindent left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr limits "
    "nolimits protect xspace nonumber smallskip medskip bigskip hfill allowbreak relax unskip ignorespaces "
    "romannumeral boldmath hline toprule midrule bottomrule maketitle selectfont leavevmode"
)
SILENT = frozenset(_SILENT.split())
"""Commands that print nothing and take no argument."""

_REMOVED = (
    "label vspace hspace footnotemark bibliographystyle bibliography pagestyle input index phantom vphantom "
    "hphantom color cellcolor rowcolor includegraphics setcounter usepackage cite citep citet citealp citealt "
    "citeauthor citeyear footcite parencite textcite nocite ref eqref autoref cref Cref pageref"
)
REMOVED = frozenset(_REMOVED.split())
"""Commands that vanish together with their argument, which is no word of the author's."""

STYLES = {
    "textbf": "b", "mathbf": "b", "bm": "b", "boldsymbol": "b", "pmb": "b", "bf": "b",
    "emph": "i", "textit": "i", "textsl": "i", "mathit": "i", "it": "i", "em": "i",
    "texttt": "code", "mathtt": "code", "tt": "code", "lstinline": "code",
}  # fmt: skip
"""Commands that give a style: to their argument, or in the old form `{\\bf …}` to the rest of their group."""

_UPRIGHT = "mathrm mathsf mathop textnormal DeclareMathOperator mathnormal"
UPRIGHT = frozenset(_UPRIGHT.split())
_TEXTUAL = "text textrm textsf textsc textup textmd mbox hbox fbox makebox uline underline"
TEXTUAL = frozenset(_TEXTUAL.split())

ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331",
}  # fmt: skip
"""Accents of text (\\'e) as combining characters. Those named by a letter need a brace or a space after it."""

MATH_ACCENTS = {
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "bar": "\u0304",
    "overline": "\u0304", "vec": "\u20d7", "overrightarrow": "\u20d7", "dot": "\u0307", "ddot": "\u0308",
    "check": "\u030c", "breve": "\u0306", "mathring": "\u030a", "acute": "\u0301", "grave": "\u0300",
    "not": "\u0338",
}  # fmt: skip

_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DOUBLE = dict(zip(_CAPITALS + "1", "𝔸𝔹ℂ𝔻𝔼𝔽𝔾ℍ𝕀𝕁𝕂𝕃𝕄ℕ𝕆ℙℚℝ𝕊𝕋𝕌𝕍𝕎𝕏𝕐ℤ𝟙", strict=True))
_SCRIPT = dict(zip(_CAPITALS, "𝒜ℬ𝒞𝒟ℰℱ𝒢ℋℐ𝒥𝒦ℒℳ𝒩𝒪𝒫𝒬ℛ𝒮𝒯𝒰𝒱𝒲𝒳𝒴𝒵", strict=True))
ALPHABETS: dict[str, dict[str, str]] = {
    "mathbb": _DOUBLE, "mathds": _DOUBLE, "mathbbm": _DOUBLE,
    "mathcal": _SCRIPT, "mathscr": _SCRIPT, "cal": _SCRIPT, "mathfrak": {}, "frak": {},
}  # fmt: skip
"""Letter styles that Unicode has letters for; of more than two letters the plain ones are easier to read."""

SUPERSCRIPTS = str.maketrans(
    dict(
        zip(
            "0123456789+-−=()nijabcdefghklmoprstuvwxyzTNABDEGHIJKLMOPRUVWβγδθ*′",
            "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱʲᵃᵇᶜᵈᵉᶠᵍʰᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᴺᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴼᴾᴿᵁⱽᵂᵝᵞᵟᶿ*′",
            strict=True,
        )
    )
)
SUBSCRIPTS = str.maketrans(
    dict(zip("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
)

MATRICES = {
    "matrix": "()", "pmatrix": "()", "bmatrix": "[]", "Bmatrix": "{}", "vmatrix": "||", "Vmatrix": "‖‖",
    "smallmatrix": "()", "array": "()", "cases": "{}",
}  # fmt: skip
"""Environments whose cells are listed on one line between these brackets."""
_FORMULAS = "equation align aligned alignat gather gathered multline eqnarray displaymath math split"
FORMULAS = frozenset(name + star for name in _FORMULAS.split() for star in ("", "*"))
"""Environments that hold a formula."""
