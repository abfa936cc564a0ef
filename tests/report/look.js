// What a frame shows: how far it reaches, what is folded away, which rows are cards, which texts are pale.
function look(frame) {
  const page = frame.contentDocument;
  const root = page.documentElement;
  const style = (element, pseudo) => frame.contentWindow.getComputedStyle(element, pseudo);
  const folds = [...page.querySelectorAll('details:not([open])')];
  const shows = fold => {
    const inner = fold.querySelector('.wide, .charts');
    return inner.checkVisibility({ contentVisibilityAuto: true }) && inner.getBoundingClientRect().height > 20;
  };
  const rows = [...page.querySelectorAll('table.cards tbody tr')];
  const second = rows.length ? rows[0].children[1] : null;
  const light = colour => {
    const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map(part => part / 255)
      .map(part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = style(at).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const contrast = element => {
    const [one, other] = [style(element).color, behind(element)].map(light).sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  };
  const texts = [...page.querySelectorAll('h1, h2, p, dt, dd, a, summary, th, td, figcaption, .key, .name, .figure, .end, .ticks span')];
  return {
    screen: root.clientWidth,
    page: Math.max(root.scrollWidth, ...[...page.querySelectorAll('.wide')].map(wide => wide.getBoundingClientRect().left + wide.scrollWidth)),
    folded: folds.length,
    unfolded: folds.filter(shows).length,
    cards: rows.filter(row => style(row).display === 'block').length,
    rows: rows.length,
    before: second ? style(second, '::before').content : '',
    name: second ? second.dataset.name : '',
    pale: texts.filter(text => text.textContent.trim() && contrast(text) < 4.5).slice(0, 5)
      .map(text => text.tagName + '.' + text.className + ': ' + text.textContent.trim().slice(0, 40)),
  };
}
