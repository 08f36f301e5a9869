/* The finance desk keeps the chosen look in this browser; signing in follows it, and the system otherwise. */
(function () {
    let look = null
    try { look = JSON.parse(localStorage.getItem("_x_adminTheme")) } catch (error) { /* no storage: the system's look */ }
    if (look === "dark" || look === "light") document.documentElement.dataset.look = look
})()
