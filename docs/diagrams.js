// What the theme leaves in a colour that is not the palette's: the titles of the further parts of an alternative,
// and the heads of arrows in a sequence.
const initialize = mermaid.initialize;
mermaid.initialize = (options) => {
  const colours = `
    .sectionTitle, .sectionTitle > tspan { fill: var(--md-mermaid-label-fg-color) }
    marker[id$="arrowhead"] path { fill: var(--md-mermaid-sequence-message-line-color); stroke: none }`;
  initialize({ ...options, themeCSS: (options.themeCSS ?? "") + colours });
};
