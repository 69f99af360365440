"""sumy's Luhn summarizer."""

from harness import serve
from sumy.summarizers.luhn import LuhnSummarizer
from sumy_sentences import adapter

serve(adapter(LuhnSummarizer))
