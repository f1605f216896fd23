// Judges Kusto queries with Microsoft's own language service. In: JSON {folder, tables: {name: schema}, queries: {name: text}}
// on standard input. Out: JSON {name: {diagnostics: [text], columns: {name: type}}}. Started by language_service.py.
"use strict";
const path = require("node:path");

const { folder, tables, queries } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const home = path.join(folder, "node_modules", "@kusto", "language-service-next");
// C# compiled to JavaScript: the runtime first, then the library, which fills the global `Kusto`.
require(path.join(home, "bridge.min.js"));
require(path.join(home, "Kusto.Language.Bridge.min.js"));
const { KustoCode, GlobalState, Symbols } = Kusto.Language;

const items = (list) => Array.from({ length: list.Count }, (_, index) => list.getItem(index));
const known = Object.entries(tables).map(([name, schema]) => Symbols.TableSymbol.From(schema).WithName(name));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("workspace", known));

const judged = Object.entries(queries).map(([name, text]) => {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const diagnostics = items(code.GetDiagnostics()).map((one) => `${one.Severity} ${one.Code} at ${one.Start}: ${one.Message}`);
  const columns = code.ResultType?.Columns ? items(code.ResultType.Columns).map((one) => [one.Name, one.Type.Name]) : [];
  return [name, { diagnostics, columns: Object.fromEntries(columns) }];
});
process.stdout.write(JSON.stringify(Object.fromEntries(judged)));
