const course = JSON.parse(document.getElementById('course').textContent);
Plotly.newPlot('curves', course.data, course.layout,
  {responsive: true, displayModeBar: false});
