// How dark the page is, and its text with the weakest contrast (WCAG 2). Run in the page by the tests.
() => {
    const channel = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const parse = (color) => color.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            if (color.length < 4 || color[3] > 0.99) return color;
        }
        return [255, 255, 255];
    };
    let weakest = { ratio: 21 };
    for (const element of document.querySelectorAll("body *:not(svg *)")) {
        const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!text || !element.checkVisibility() || element.disabled) continue;
        const pair = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
        const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
        if (ratio < weakest.ratio) weakest = { ratio, text: element.textContent.slice(0, 60) };
    }
    return [light(parse(getComputedStyle(document.documentElement).backgroundColor)), weakest];
}