// Files on their way in and out: dropped, pasted, chosen; and saved.

const byId = (id) => document.getElementById(id);

/** Hand over each file that is dropped, pasted or chosen. */
export function onFile(take) {
  byId("choose").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) take(file);
    event.target.value = "";
  });
  addEventListener("dragover", (event) => { event.preventDefault(); byId("over").hidden = false; });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) byId("over").hidden = true; });
  addEventListener("drop", (event) => {
    event.preventDefault();
    byId("over").hidden = true;
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
  addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (file) take(file);
  });
}

/** What a drawing is called: its photo's name, and the style. */
export function named(name, style, suffix) {
  return `${(name || "livefilter").replace(/\.[^.]*$/, "")}-${style}.${suffix}`;
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
