"use strict";
// Sorting, filtering and switching of what is already on the page; nothing is computed here.
(() => {
  const fewest = 8; // rows from which a filter helps
  const key = (cell) => {
    const text = cell ? cell.textContent.trim() : "";
    const number = text.replace(/\u2212/g, "-").replace(/,/g, "").match(/-?\d+(\.\d+)?/);
    return { text: text.toLowerCase(), number: number ? parseFloat(number[0]) : NaN };
  };
  const compare = (a, b, numeric) => {
    if (!numeric) return a.text.localeCompare(b.text, "en");
    if (Number.isNaN(a.number)) return Number.isNaN(b.number) ? 0 : 1;
    return Number.isNaN(b.number) ? -1 : a.number - b.number;
  };
  const sortable = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = head.textContent;
      if (!head.textContent.trim()) return;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        const numeric = head.classList.contains("num");
        const rows = [...body.rows].map((row, index) => ({ row, index, key: key(row.cells[at]) }));
        rows.sort((a, b) => (down ? -1 : 1) * compare(a.key, b.key, numeric) || a.index - b.index);
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        body.append(...rows.map((item) => item.row));
      });
    });
  };
  const filterable = (box, table) => {
    const label = document.createElement("label");
    label.className = "filter";
    label.append("Filter rows ");
    const input = document.createElement("input");
    input.type = "search";
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    label.append(input);
    box.before(label, said);
    said.className = "said";
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        shown += row.hidden ? 0 : 1;
      }
      said.textContent = wanted ? `${shown} of ${table.tBodies[0].rows.length} rows` : "";
    });
  };
  for (const box of document.querySelectorAll(".scroll")) {
    const table = box.querySelector("table");
    if (!table || !table.tHead || table.tBodies[0].rows.length < 2) continue;
    sortable(table);
    if (table.tBodies[0].rows.length >= fewest) filterable(box, table);
  }
  for (const choice of document.querySelectorAll(".switch")) {
    const options = [...choice.querySelectorAll(".option")];
    const group = choice.querySelector("fieldset");
    group.hidden = false;
    group.addEventListener("change", (event) => {
      options.forEach((option, at) => { option.hidden = String(at) !== event.target.value; });
    });
  }
  const reveal = () => {
    const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
    for (let up = target; up; up = up.parentElement) {
      if (up.tagName === "DETAILS") up.open = true;
      if (up.tagName === "TR") up.hidden = false;
    }
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
