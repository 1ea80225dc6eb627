select service_forecasts.*, base_contacts
from predictions.service_forecasts
left join samples.service_days
    on service_days.forecast_date = service_forecasts.forecast_date
    and service_days.channel = service_forecasts.channel
    and service_days.contact_reason = service_forecasts.contact_reason
    and fold = 'serve'
