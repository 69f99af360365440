"""sumy's LSA summarizer."""

from harness import serve
from sumy.summarizers.lsa import LsaSummarizer
from sumy_sentences import adapter

serve(adapter(LsaSummarizer))
