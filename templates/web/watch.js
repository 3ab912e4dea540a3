// Loads the page anew as soon as there is something new to see, and keeps the place in the mail.
const version = document.currentScript.dataset.version;
const frame = document.querySelector("iframe");
const gone = document.querySelector(".gone");

frame?.addEventListener("load", () => frame.contentWindow.scrollTo(0, sessionStorage.getItem("place") ?? 0));

async function follow() {
  for (;;) {
    try {
      const answer = await fetch(`/changed?since=${version}`);
      if (!answer.ok) throw new Error(answer.statusText);
      if ((await answer.text()) !== version) {
        if (frame) sessionStorage.setItem("place", frame.contentWindow.scrollY);
        location.reload();
        return;
      }
      gone.style.display = "none";
    } catch {
      gone.style.display = "block";
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

follow();
