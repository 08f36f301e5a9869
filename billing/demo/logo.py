"""The mark of the demo's seller, drawn for it: a cloud above two waves."""

LOGO = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -6 96 72">
<path fill="#1f5f8b" d="M24 38a12 12 0 0 1-1-23.9A19 19 0 0 1 59 15.3A14 14 0 1 1 70 38z"/>
<path fill="none" stroke="#1f5f8b" stroke-width="4" stroke-linecap="round" d="M12 48q9-7 18 0t18 0t18 0t18 0"/>
<path fill="none" stroke="#5fa8d3" stroke-width="4" stroke-linecap="round" d="M22 59q9-7 18 0t18 0t18 0"/>
</svg>
"""
