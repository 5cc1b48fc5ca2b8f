"use strict";
// The page asks POST /generate for every change and shows the rows of the answer. A newer change aborts the older request,
// whose work the service then drops.

const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const body = document.body;
const outputs = JSON.parse(body.dataset.outputs);
const picture = Object.keys(outputs).find((name) => outputs[name] === "picture");
const WAIT = 60; // milliseconds of rest before a change is asked for
const POLL = 5000; // milliseconds between two looks at /ready

let running = new AbortController();
let timer = 0;
let shown = []; // what the viewer steps through

const value = (id) => find(`#${id}`)?.value;
const whole = (id) => Math.min(Number(find(`#${id}`).max), Math.max(0, Math.floor(Number(value(id)) || 0)));

async function pictures(group) {
  const files = [...find("input[type=file]", group).files];
  if (files.length) return Promise.all(files.map(read));
  return all(".examples input:checked", group).map((box) => box.value);
}

function read(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1] || "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

function numbers(text) {
  return text.split(/[\s,;]+/).filter(Boolean).map(Number);
}

// The body of a request, and the pictures that it starts from.
async function request(format) {
  const asked = { n: Number(value("count") || 1), task: body.dataset.task, format };
  let sources = [];
  const inputs = {};
  for (const group of all("[data-input]")) {
    const { input, form } = group.dataset;
    if (form === "picture") {
      sources = await pictures(group);
      if (!sources.length) return null;
      inputs[input] = sources.length === 1 ? sources[0] : sources;
    } else {
      const given = find("select, input[type=text], input:checked", group)?.value;
      if (given) inputs[input] = form === "numbers" ? numbers(given) : given;
    }
  }
  if (Object.keys(inputs).length) asked.inputs = inputs;
  if (sources.length > 1 || (sources.length && body.dataset.latents === "no")) asked.n = sources.length;
  if (body.dataset.latents === "yes") {
    asked.seed = whole("seed");
    const position = Number(value("position")) / 100;
    if (position > 0) asked.walk = { to: whole("to"), position };
  }
  if (find("#truncation")) asked.truncation = Number(value("truncation"));
  return { asked, sources };
}

const sides = () => all(".side").filter((side) => !side.hidden);

async function ask(asked, signal) {
  for (;;) {
    const answer = await fetch("generate", {
      method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked),
    });
    if (answer.ok) return answer;
    if (answer.status !== 429) throw new Error(await words(answer));
    say(`busy, asking again in ${answer.headers.get("Retry-After")} s`, "busy");
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get("Retry-After") || 1)));
    signal?.throwIfAborted();
  }
}

async function words(answer) {
  try {
    const { message, expected, found, action } = await answer.json();
    const parts = [message, expected && `expected: ${expected}`, found && `found: ${found}`, action];
    return parts.filter(Boolean).join("\n");
  } catch {
    return `the service answered with status ${answer.status}`;
  }
}

function say(text, mood = "") {
  find("#state").textContent = text;
  document.documentElement.className = mood;
}

function complain(text) {
  find("#message").textContent = text;
  find("#message").hidden = !text;
}

async function render() {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  try {
    const made = await request(picture ? "json" : "png");
    if (!made) {
      say("");
      return complain("Choose a picture to begin.");
    }
    if (signal.aborted) return;
    say("generating …", "busy");
    const begin = performance.now();
    const answers = await Promise.all(sides().map((side) => fill(side, made, signal)));
    complain("");
    const took = Math.round(performance.now() - begin);
    say(`${made.asked.n} ${made.asked.n === 1 ? "image" : "images"} from ${answers.join(" and ")} in ${took} ms`);
  } catch (error) {
    if (error.name === "AbortError") return;
    complain(error.message);
    say("no answer", "trouble");
  }
}

// Ask for one side and show its rows; resolves to the version that answered.
async function fill(side, { asked, sources }, signal) {
  const answer = await ask({ ...asked, model: side.dataset.alias }, signal);
  const version = decodeURIComponent(answer.headers.get("X-Ganops-Model"));
  find(".version", side).textContent = version;
  if (picture) {
    const { rows } = await answer.json();
    tiles(side, rows, sources, asked);
  } else {
    const drawn = find(".drawn", side);
    find(".tiles", side).hidden = true;
    drawn.hidden = false;
    const former = find("img", drawn).src;
    find("img", drawn).src = URL.createObjectURL(await answer.blob());
    if (former.startsWith("blob:")) URL.revokeObjectURL(former);
  }
  return version;
}

function tiles(side, rows, sources, asked) {
  const list = find(".tiles", side);
  const pairs = sources.length === rows.length && sources.length > 0;
  list.style.setProperty("--columns", Math.ceil(Math.sqrt(pairs ? rows.length / 2 : rows.length)));
  while (list.children.length > rows.length) list.lastChild.remove();
  rows.forEach((row, index) => {
    const item = list.children[index] || list.appendChild(tile());
    item.className = pairs ? "pair" : "";
    const [before, after] = all("img", item);
    before.hidden = !pairs;
    if (pairs) before.src = `data:;base64,${sources[index]}`;
    after.src = `data:image/png;base64,${row[picture]}`;
    const label = Object.entries(row).filter(([name]) => name !== picture && outputs[name] !== "picture");
    const text = label.map(([, each]) => (Array.isArray(each) ? "" : each)).filter(String).join(" ");
    after.alt = `Image ${index + 1}${text ? `: ${text}` : ""}${"seed" in asked ? `, seed ${asked.seed}` : ""}`;
    find("em", item).textContent = text;
    find("em", item).hidden = !text || rows.length > 36;
  });
}

function tile() {
  const item = document.createElement("li");
  const button = item.appendChild(document.createElement("button"));
  button.type = "button";
  button.append(document.createElement("img"), document.createElement("img"), document.createElement("em"));
  all("img", button)[0].alt = "Source";
  button.addEventListener("click", () => view(item));
  return item;
}

function view(item) {
  shown = [...item.parentElement.children];
  show(shown.indexOf(item));
  find("#viewer").showModal();
}

function show(index) {
  const viewer = find("#viewer");
  viewer.dataset.index = index;
  const image = all("img", shown[index])[1];
  find("img", viewer).src = image.src;
  find("img", viewer).alt = image.alt;
  find("figcaption", viewer).textContent = image.alt;
  const link = find("a", viewer);
  link.href = image.src;
  link.download = `${find(".version").textContent.replace(/\W+/g, "-")}-${value("seed") || "image"}-${index + 1}.png`;
}

function step(by) {
  show((Number(find("#viewer").dataset.index) + by + shown.length) % shown.length);
}

function change() {
  all("output").forEach((output) => {
    output.value = value(output.htmlFor.value) + (output.dataset.unit ? ` ${output.dataset.unit}` : "");
  });
  document.documentElement.className = "busy";
  clearTimeout(timer);
  timer = setTimeout(render, WAIT);
}

async function save(format) {
  const made = await request(format);
  if (!made) return;
  try {
    const answer = await ask({ ...made.asked, model: sides()[0].dataset.alias });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = `${find(".version").textContent.replace(/\W+/g, "-")}-seed-${made.asked.seed ?? 0}.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  } catch (error) {
    complain(error.message);
  }
}

async function copyCurl() {
  const made = await request("png");
  if (!made) return;
  const json = JSON.stringify(made.asked).replaceAll("'", "'\\''");
  const address = new URL("generate", location.href);
  const command = `curl -s ${address} -H 'Content-Type: application/json' -d '${json}' -o grid.png`;
  try {
    await navigator.clipboard.writeText(command);
    say("copied");
  } catch {
    complain(command);
  }
}

// There and back again along the walk, as fast as answers come.
async function play() {
  const button = find("#play");
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", on);
  let by = 2;
  while (button.getAttribute("aria-pressed") === "true" && on) {
    const slider = find("#position");
    if (Number(slider.value) + by > 100 || Number(slider.value) + by < 0) by = -by;
    slider.value = Number(slider.value) + by;
    all("output").forEach((output) => { if (output.htmlFor.value === "position") output.value = `${slider.value} %`; });
    const begin = performance.now();
    await render();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 50 - (performance.now() - begin))));
  }
}

// A version may be replaced at any time: the page names the new one and asks it at once.
async function follow() {
  try {
    const { models, problems } = await (await fetch("ready")).json();
    const changed = all(".side").some((side) => models[side.dataset.alias] &&
      find(".version", side).textContent !== models[side.dataset.alias]);
    if (Object.keys(problems).length) say(Object.values(problems)[0], "trouble");
    if (changed) change();
  } catch {
    say("the service does not answer", "trouble");
  }
}

function shuffle() {
  find("#seed").value = crypto.getRandomValues(new Uint32Array(1))[0] % 1000000;
  change();
}

find("#controls").addEventListener("input", change);
find("#controls").addEventListener("submit", (event) => event.preventDefault());
find("#shuffle")?.addEventListener("click", shuffle);
find("#play")?.addEventListener("click", play);
find("#curl").addEventListener("click", copyCurl);
all("[data-save]").forEach((button) => button.addEventListener("click", () => save(button.dataset.save)));
all("[data-step]").forEach((button) => button.addEventListener("click", () => step(Number(button.dataset.step))));
find("[data-close]").addEventListener("click", () => find("#viewer").close());
find("#viewer").addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) step(by);
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type=range]):not([type=radio]):not([type=checkbox]), select");
  if (event.key === "r" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) find("#shuffle")?.click();
});
all(".drop").forEach((zone) => {
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, () => zone.classList.add("over"));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
});
all(".examples input").forEach((box) => box.addEventListener("change", () => {
  find("input[type=file]", box.closest("[data-input]")).value = "";
}));
const compare = find("#compare");
function sideBySide() {
  all(".side").slice(1).forEach((side) => { side.hidden = !compare?.checked; });
  change();
}
compare?.addEventListener("change", sideBySide);
sideBySide();
setInterval(follow, POLL);
