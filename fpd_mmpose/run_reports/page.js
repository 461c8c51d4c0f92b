const course = JSON.parse(document.getElementById('course').textContent);
Plotly.newPlot('curves', course.data, course.layout,
  {responsive: true, displaylogo: false});
