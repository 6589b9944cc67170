// The theme has no colour for the titles of the further parts of an alternative; in the dark they would be black.
const initialize = mermaid.initialize;
mermaid.initialize = (options) => {
  const titles = ".sectionTitle, .sectionTitle > tspan { fill: var(--md-mermaid-label-fg-color) }";
  initialize({ ...options, themeCSS: `${options.themeCSS ?? ""}\n${titles}` });
};
