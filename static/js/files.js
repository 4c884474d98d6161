// Uploads with their progress, one after the other. Without this script the form uploads one file.
(function () {
  "use strict";

  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const list = form.querySelector(".uploads");
  const input = form.elements.file;

  const entry = (file) => {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const progress = document.createElement("progress");
    name.textContent = file.name;
    name.dir = "auto";
    progress.max = 1;
    progress.value = 0;
    progress.setAttribute("aria-label", file.name);
    row.append(name, progress);
    list.append(row);
    return { row, progress };
  };

  const send = (file) =>
    new Promise((resolve) => {
      const { row, progress } = entry(file);
      const request = new XMLHttpRequest();
      const body = new FormData();
      body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
      body.append("file", file);
      const failed = (sentence) => {
        const problem = document.createElement("span");
        problem.className = "error";
        problem.textContent = sentence;
        progress.replaceWith(problem);
        resolve(false);
      };
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) progress.value = event.loaded / event.total;
      });
      request.addEventListener("error", () => failed(form.dataset.upload));
      request.addEventListener("load", () => {
        let answer = {};
        try {
          answer = JSON.parse(request.responseText);
        } catch (error) {
          // the page of another refusal
        }
        if (request.status === 200) {
          row.remove();
          resolve(true);
        } else {
          failed(answer.problem || answer.detail || form.dataset.upload);
        }
      });
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.send(body);
    });

  const sendAll = async (files) => {
    list.replaceChildren();
    let isWhole = true;
    for (const file of files) isWhole = (await send(file)) && isWhole;
    input.value = "";
    if (isWhole) window.location.reload();
  };

  form.addEventListener("submit", (event) => {
    if (!input.files.length) return;
    event.preventDefault();
    sendAll([...input.files]);
  });
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length) sendAll([...event.dataTransfer.files]);
  });
})();
