/* SPDX-License-Identifier: ISC */
/* Arrow keys turn pages; the footer says what serves them. */
"use strict";
addEventListener("keydown", (event) => {
    const rel = { ArrowRight: "next", ArrowLeft: "prev" }[event.key];
    const link = rel && document.querySelector(`footer a[rel=${rel}]`);
    if (link && !event.altKey && !event.ctrlKey && !event.metaKey) {
        location.href = link.href;
    }
});

const number = (n) => n.toLocaleString("en");

function duration(ms) {
    const s = Math.floor(ms / 1000);
    return s < 120 ? `${s} s` : s < 7200 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3600)} h`;
}

async function status() {
    const answer = await fetch("/status.json", { cache: "no-store" });
    return answer.json();
}

/* Pages that the other side may touch now, and how often one was lent: none on a tap, which copies. */
const grants = (s) => s.grants === 0 ? "no grants" :
    `${number(s.grants)} grants, ${number(s.grants - s.grants_ended)} open`;

const live = document.getElementById("live");
function footer() {
    status().then((s) => {
        live.textContent = `wisp ${s.version} on ${s.platform} · up ${duration(s.uptime_ms)} · ` +
            `${number(s.frames_in + s.frames_out)} frames · ${number(s.pages_in_use)} of ${number(s.pages)} pages · ` +
            `${grants(s)} · ${number(s.driver_bytes_copied)} payload bytes copied by the driver`;
    }).catch(() => { live.textContent = "The server does not answer."; }).finally(() => setTimeout(footer, 2000));
}
if (live && !document.getElementById("platform")) {
    footer();
}
