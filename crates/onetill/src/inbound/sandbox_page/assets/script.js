
// Keeps the shown state true. The page is complete without it.
(function () {
  'use strict';
  var byId = function (id) { return document.getElementById(id); };
  var state = byId('state'), form = byId('act'), left = byId('left');
  var language = document.documentElement.lang.indexOf('zh') === 0 ? 'zh' : 'en';
  var stateUrl = location.pathname.split('/').pop() + '/state';
  var closesAt = Date.now() + Number(left.getAttribute('data-left-s')) * 1000;

  function show(told) {
    closesAt = Date.now() + told.left_s * 1000;
    if (told.state === state.getAttribute('data-state')) { return; }
    var hadFocus = form.contains(document.activeElement);
    document.querySelectorAll('.while-unpaid').forEach(function (part) {
      part.hidden = told.state !== 'unpaid';
    });
    state.setAttribute('data-state', told.state);
    byId('state-name').textContent = told['state_text_' + language];
    byId('state-meaning').textContent = told['meaning_' + language];
    document.title = told['state_text_' + language] + ' · ¥' + byId('amount').textContent;
    if (hadFocus && form.hidden) { state.focus(); }
    tick();
  }

  function two(number) { return (number < 10 ? '0' : '') + number; }

  // The time left, for orders that close within the day.
  function tick() {
    var s = Math.max(0, Math.ceil((closesAt - Date.now()) / 1000));
    byId('left-row').hidden = state.getAttribute('data-state') !== 'unpaid' || s >= 86400;
    var minutes = Math.floor(s / 60) % 60, hours = Math.floor(s / 3600);
    left.textContent = (hours ? hours + ':' + two(minutes) : minutes) + ':' + two(s % 60);
  }

  function ask() {
    return fetch(stateUrl, { cache: 'no-store', credentials: 'omit' }).then(function (reply) {
      if (!reply.ok) { throw new Error(String(reply.status)); }
      return reply.json();
    }).then(function (told) {
      byId('offline').hidden = true;
      show(told);
    }).catch(function () {
      byId('offline').hidden = false;
    });
  }

  // A settled order can still be given back, so it is asked about too, but less often.
  function again() {
    var pause = state.getAttribute('data-state') === 'unpaid' ? 1000 : 5000;
    setTimeout(function () { ask().then(again); }, pause);
  }

  // One press is one request; the button itself must stay enabled to be sent.
  form.addEventListener('submit', function (event) {
    if (form.hasAttribute('data-busy')) { event.preventDefault(); }
    form.setAttribute('data-busy', '');
  });
  // Coming back by the browser's history finds the page as it was left.
  addEventListener('pageshow', function () { form.removeAttribute('data-busy'); });

  setInterval(tick, 1000);
  tick();
  again();
})();
