"""The page's style sheet: light and dark, phone and desk, nothing from outside."""

STYLE = """
:root { --paper: #f6f6f3; --card: #fff; --ink: #1b1f24; --quiet: #646c77; --rule: #e3e5e8;
  --accent: #2b6cb0; --area: #2b6cb01f; --critical: #b4234c; --high: #cf5a17; --warning: #b58a12;
  color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #101317; --card: #181c22; --ink: #e6e9ed;
  --quiet: #98a2af; --rule: #2b323b; --accent: #6ba6ea; --area: #6ba6ea26; --critical: #ff7d9c;
  --high: #ff9d5c; --warning: #e6c04a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 1.15rem; margin: 0 0 4px; }
header p, .why { color: var(--quiet); margin: 0 0 14px; max-width: 75ch; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 12px;
  padding: 20px 22px; margin-top: 18px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 12px;
  background: none; border: 0; padding: 0; }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 12px;
  padding: 14px 16px; display: flex; flex-direction: column; }
.tile b { font-size: 1.55rem; line-height: 1.15; font-variant-numeric: tabular-nums; }
.tile small { color: var(--quiet); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr));
  gap: 28px; }
.pair > div { min-width: 0; display: flex; flex-direction: column; }
.pair svg { margin-top: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; font-weight: 600; }
thead th { color: var(--quiet); font-weight: 500; padding: 4px 10px 6px 0; white-space: nowrap; }
td { padding: 6px 10px 6px 0; border-top: 1px solid var(--rule); vertical-align: top; }
td:first-child { min-width: 180px; }
td:last-child { min-width: 300px; }
td:last-child, th:last-child { padding-right: 0; }
.kind th { padding: 18px 0 6px; }
.kind small { color: var(--quiet); font-weight: 400; margin-left: 6px; }
.kind b { font-weight: 400; color: var(--ink); }
.n { text-align: right; padding-right: 18px; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.t { white-space: nowrap; }
.small { margin: 0 0 14px; }
code { color: var(--quiet); font-size: .88em; }
details { display: inline; margin-left: 8px; } summary { cursor: pointer; color: var(--accent); }
details ul { margin: 6px 0 0; padding-left: 18px; }
.pill { display: inline-block; border-radius: 99px; padding: 0 10px; font-size: .8rem;
  border: 1px solid currentColor; margin-right: 4px; }
.p-critical { color: var(--critical); } .p-high { color: var(--high); }
.p-warning { color: var(--warning); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--quiet); font-size: 13px; } svg .strong { fill: var(--ink); }
svg .grid { stroke: var(--rule); } svg .zero { stroke: var(--quiet); }
svg .stock { fill: none; stroke: var(--accent); stroke-width: 2; } svg .area { fill: var(--area); }
svg .came { fill: var(--quiet); } svg .lane { fill: var(--rule); opacity: .55; }
svg .bar { fill: var(--accent); opacity: .75; }
svg .s-critical { fill: var(--critical); } svg .s-high { fill: var(--high); }
svg .s-warning { fill: var(--warning); }
"""
